"""Which permissions a call needs: actions, resources, roles that it passes on.

Source: "Actions, resources, and condition keys for AWS services" (Service Authorization Reference).
"""

import pytest

from localaws.iam.permissions.actions import Lookup, Need, fill, needs_of

ACCOUNT = "123456789012"
REGION = "us-east-1"
ROLE = f"arn:aws:iam::{ACCOUNT}:role"
SECRET = f"arn:aws:secretsmanager:{REGION}:{ACCOUNT}:secret:app-AbCdEf"
LOOKUP = Lookup(
    workgroup=lambda _, params: {"q1": "analysts"}.get(params.get("QueryExecutionId", "")),
    role_arn={"deep": f"{ROLE}/teams/deep"}.get,
    secret_arn=lambda name: SECRET if name == "app" else None,
    profile_roles=lambda name: [f"{ROLE}/host"] if name in ("host", "arn:profile/host") else [],
    stream=lambda iterator: "posts" if iterator == "it" else None,
)


def needs(service: str, action: str, **params: object) -> list[tuple[str, str]]:
    return [(need.action, need.resource) for need in needs_of(service, action, params, LOOKUP)]


@pytest.mark.parametrize(
    ("action", "params", "permissions"),
    [
        ("ListBuckets", {}, [("ListAllMyBuckets", "*")]),
        ("CreateBucket", {"Bucket": "b"}, [("CreateBucket", "b")]),
        ("HeadBucket", {"Bucket": "b"}, [("ListBucket", "b")]),
        ("GetBucketPolicy", {}, [("GetBucketPolicy", "*")]),
        ("GetObject", {"Bucket": "b", "Key": "k"}, [("GetObject", "b/k")]),
        ("GetObject", {"Bucket": "b", "Key": "k", "VersionId": "v"}, [("GetObjectVersion", "b/k")]),
        ("HeadObject", {"Bucket": "b", "Key": "k", "VersionId": "v"}, [("GetObjectVersion", "b/k")]),
        ("UploadPart", {"Bucket": "b", "Key": "k", "VersionId": "v"}, [("PutObject", "b/k")]),
        ("PutObject", {"Bucket": "b", "Key": "k"}, [("PutObject", "b/k")]),
        (
            "PutObject",
            {"Bucket": "b", "Key": "k", "Tagging": "a=b"},
            [("PutObject", "b/k"), ("PutObjectTagging", "b/k")],
        ),
        ("PutObjectAcl", {"Bucket": "b", "Key": "k", "Tagging": "a=b"}, [("PutObjectAcl", "b/k")]),
        (
            "CopyObject",
            {"Bucket": "b", "Key": "k", "CopySource": "/a/x%20y"},
            [("GetObject", "a/x y"), ("PutObject", "b/k")],
        ),
        (
            "UploadPartCopy",
            {"Bucket": "b", "Key": "k", "CopySource": "a/x?versionId=v"},
            [("GetObjectVersion", "a/x"), ("PutObject", "b/k")],
        ),
        (
            "DeleteObjects",
            {"Bucket": "b", "Delete": {"Objects": [{"Key": "1"}, {"Key": "2", "VersionId": "v"}]}},
            [("DeleteObject", "b/1"), ("DeleteObjectVersion", "b/2")],
        ),
        ("DeleteObjects", {"Bucket": "b"}, [("DeleteObject", "b/*")]),
    ],
)
def test_a_call_of_s3_needs_permissions_on_its_objects(action, params, permissions):
    arns = [(f"s3:{name}", "*" if place == "*" else f"arn:aws:s3:::{place}") for name, place in permissions]
    assert needs("s3", action, **params) == arns


@pytest.mark.parametrize(
    ("service", "action", "params", "permissions"),
    [
        ("sts", "GetCallerIdentity", {}, []),
        ("monitoring", "ListMetrics", {}, [("cloudwatch:ListMetrics", "*")]),
        ("kinesis", "PutRecords", {"StreamName": "s"}, [("kinesis:PutRecords", "kinesis:{r}:stream/s")]),
        ("kinesis", "PutRecords", {}, [("kinesis:PutRecords", "*")]),
        ("kinesis", "GetRecords", {"ShardIterator": "it"}, [("kinesis:GetRecords", "kinesis:{r}:stream/posts")]),
        ("kinesis", "GetRecords", {"ShardIterator": "?"}, [("kinesis:GetRecords", "*")]),
        (
            "kinesis",
            "GetRecords",
            {"ShardIterator": "it", "StreamARN": f"arn:aws:kinesis:{REGION}:{ACCOUNT}:stream/other"},
            [("kinesis:GetRecords", "kinesis:{r}:stream/other")],
        ),
        (
            "athena",
            "GetQueryResults",
            {"QueryExecutionId": "q1"},
            [("athena:GetQueryResults", "athena:{r}:workgroup/analysts")],
        ),
        ("athena", "GetQueryResults", {"QueryExecutionId": "q2"}, [("athena:GetQueryResults", "*")]),
        ("secretsmanager", "GetSecretValue", {"SecretId": "app"}, [("secretsmanager:GetSecretValue", SECRET)]),
        (
            "secretsmanager",
            "GetSecretValue",
            {"SecretId": "none"},
            [("secretsmanager:GetSecretValue", "secretsmanager:{r}:secret:none")],
        ),
        (
            "sqs",
            "SendMessageBatch",
            {"QueueUrl": f"http://127.0.0.1/{ACCOUNT}/jobs/"},
            [("sqs:SendMessage", "sqs:{r}:jobs")],
        ),
        (
            "ssm",
            "GetParameters",
            {"Names": ["/a/b", "c"]},
            [("ssm:GetParameters", "ssm:{r}:parameter/a/b"), ("ssm:GetParameters", "ssm:{r}:parameter/c")],
        ),
        (
            "ssm",
            "SendCommand",
            {"DocumentName": "AWS-RunShellScript", "InstanceIds": ["i-1", "i-2"]},
            [
                ("ssm:SendCommand", f"arn:aws:ssm:{REGION}::document/AWS-RunShellScript"),
                ("ssm:SendCommand", "ec2:{r}:instance/i-1"),
                ("ssm:SendCommand", "ec2:{r}:instance/i-2"),
            ],
        ),
        (
            "ssm",
            "SendCommand",
            {"DocumentName": "own", "Targets": [{"Key": "tag:a", "Values": ["b"]}]},
            [("ssm:SendCommand", "ssm:{r}:document/own"), ("ssm:SendCommand", "ec2:{r}:instance/*")],
        ),
        (
            "ssm",
            "SendCommand",
            {"DocumentName": "arn:aws:ssm:x", "Targets": [{"Key": "InstanceIds", "Values": ["i-3"]}, {"Key": "tag:a"}]},
            [("ssm:SendCommand", "arn:aws:ssm:x"), ("ssm:SendCommand", "ec2:{r}:instance/i-3")],
        ),
        ("iam", "GetRole", {"RoleName": "deep"}, [("iam:GetRole", f"{ROLE}/teams/deep")]),
        ("iam", "GetRole", {"RoleName": "flat"}, [("iam:GetRole", f"{ROLE}/flat")]),
        ("iam", "GetUser", {"UserName": "deep"}, [("iam:GetUser", f"arn:aws:iam::{ACCOUNT}:user/deep")]),
    ],
)
def test_a_call_needs_its_action_on_the_resources_that_it_names(service, action, params, permissions):
    def arn(place: str) -> str:
        return place if place == "*" or place.startswith("arn:") else f"arn:aws:{place}"

    expected = [(name, arn(place).replace("{r}", f"{REGION}:{ACCOUNT}")) for name, place in permissions]
    assert needs(service, action, **params) == expected


@pytest.mark.parametrize(
    ("service", "action", "params", "passed"),
    [
        (
            "firehose",
            "CreateDeliveryStream",
            {"S3": {"RoleARN": f"{ROLE}/a"}, "Other": [{"RoleARN": f"{ROLE}/a"}]},
            ["a"],
        ),
        ("firehose", "DescribeDeliveryStream", {"S3": {"RoleARN": f"{ROLE}/a"}}, []),
        ("glue", "CreateCrawler", {"Role": "deep"}, ["teams/deep"]),
        ("glue", "CreateCrawler", {"Role": "service/deep"}, ["teams/deep"]),
        ("glue", "CreateCrawler", {"Role": ""}, []),
        ("events", "PutTargets", {"Targets": [{"RoleArn": f"{ROLE}/a"}, {"RoleArn": f"{ROLE}/b"}]}, ["a", "b"]),
        ("ec2", "RunInstances", {"IamInstanceProfile": {"Name": "host"}}, ["host"]),
        ("ec2", "RunInstances", {"IamInstanceProfile": {"Arn": "arn:profile/host"}}, ["host"]),
        ("ec2", "CreateLaunchTemplate", {"IamInstanceProfile": {"Name": "host"}}, []),
        ("ec2", "RunInstances", {}, []),
        ("kinesis", "CreateStream", {"RoleARN": f"{ROLE}/a"}, []),
    ],
)
def test_a_role_that_a_service_is_to_take_on_must_be_passed(service, action, params, passed):
    needed = needs_of(service, action, params, LOOKUP)
    passing = [need for need in needed if need.action == "iam:PassRole"]
    assert passing == [Need("iam:PassRole", f"{ROLE}/{name}", f"{service}.amazonaws.com") for name in passed]
    assert needed[0].action == f"{service}:{action}"


def test_a_glue_role_that_is_no_known_one_is_passed_by_its_name():
    (_, need) = needs_of("glue", "CreateCrawler", {"Name": "c", "Role": "unknown"}, LOOKUP)
    assert need == Need("iam:PassRole", "unknown", "glue.amazonaws.com")


@pytest.mark.parametrize(
    ("template", "params", "arns"),
    [
        ("a/{Name}", {"Name": "n"}, ["a/n"]),
        ("a/{Name}", {"Name": ["n", "m"]}, ["a/n", "a/m"]),
        ("a/{Name}", {"Name": "arn:b"}, ["arn:b"]),
        ("a/{Name|Other}", {"Other": "o"}, ["a/o"]),
        ("a/{Name|Other}", {"Name": "", "Other": "o"}, ["a/o"]),
        ("a/{Name.Inner}", {"Name": {"Inner": "i"}}, ["a/i"]),
        ("a/{Name.Inner}", {"Name": "n"}, []),
        ("a/{Name}/{Other}", {"Name": "n"}, []),
        ("a/{Name}/{Other}", {"Name": ["n", "m"], "Other": ["o", "p"]}, ["a/n/o", "a/n/p", "a/m/o", "a/m/p"]),
        ("a/{region}:{account}", {}, [f"a/{REGION}:{ACCOUNT}"]),
    ],
)
def test_a_template_gives_an_arn_for_each_value(template, params, arns):
    assert fill(template, params) == arns
