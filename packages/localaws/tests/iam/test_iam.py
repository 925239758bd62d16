"""IAM as the local AWS enforces it, through boto3."""

import itertools
import json
import urllib.error
import urllib.request

import pytest
from botocore.exceptions import ClientError

ACCOUNT = "123456789012"
_numbers = itertools.count()


def statement(effect, actions, resources, **more):
    return {"Effect": effect, "Action": actions, "Resource": resources, **more}


def document(*statements):
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements)})


TRUST = json.dumps(
    {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Effect": "Allow",
                "Principal": {"AWS": f"arn:aws:iam::{ACCOUNT}:root", "Service": "firehose.amazonaws.com"},
                "Action": "sts:AssumeRole",
            }
        ],
    }
)


@pytest.fixture
def role(guarded):
    """Makes a role with statements; returns the options of a client that is its session."""

    def make(*statements, **more):
        name = f"role-{next(_numbers)}"
        iam = guarded.client("iam")
        iam.create_role(RoleName=name, AssumeRolePolicyDocument=TRUST, **more)
        if statements:
            iam.put_role_policy(RoleName=name, PolicyName="p", PolicyDocument=document(*statements))
        return name

    return make


def refusal(call):
    with pytest.raises(ClientError) as refused:
        call()
    return refused.value.response["Error"]


def bucket_of(guarded):
    name = f"guarded-{next(_numbers)}"
    guarded.client("s3").create_bucket(Bucket=name)
    return name


SERVICES = [
    ("s3", "list_buckets", "SignatureDoesNotMatch", "InvalidAccessKeyId"),
    ("iam", "list_roles", "SignatureDoesNotMatch", "InvalidClientTokenId"),
    ("ec2", "describe_vpcs", "AuthFailure", "AuthFailure"),
    ("kinesis", "list_streams", "InvalidSignatureException", "UnrecognizedClientException"),
    ("cloudwatch", "list_metrics", "InvalidSignatureException", "UnrecognizedClientException"),
]


@pytest.mark.parametrize(("service", "call", "mismatch", "unknown"), SERVICES)
def test_a_call_is_answered_only_with_the_right_signature(guarded, service, call, mismatch, unknown):
    getattr(guarded.client(service), call)()
    wrong = guarded.client(service, aws_secret_access_key="wrong")
    assert refusal(getattr(wrong, call))["Code"] == mismatch
    nobody = guarded.client(service, aws_access_key_id="AKIANOBODY")
    assert refusal(getattr(nobody, call))["Code"] == unknown


def test_a_body_that_was_changed_does_not_fit_its_signature(guarded):
    def change(request, **_):
        request.body = b'{"Limit": 2}'

    kinesis = guarded.client("kinesis")
    kinesis.meta.events.register("before-send.kinesis", change)
    assert refusal(lambda: kinesis.list_streams(Limit=1))["Code"] == "InvalidSignatureException"


def test_a_role_may_do_what_its_policy_says_and_nothing_else(guarded, role):
    bucket = bucket_of(guarded)
    name = role(statement("Allow", ["s3:GetObject", "s3:Put*"], f"arn:aws:s3:::{bucket}/in/*"))
    s3 = guarded.client("s3", **guarded.role_keys(name))
    s3.put_object(Bucket=bucket, Key="in/ü b+c", Body=b"x")
    assert s3.get_object(Bucket=bucket, Key="in/ü b+c")["Body"].read() == b"x"
    error = refusal(lambda: s3.put_object(Bucket=bucket, Key="out/a", Body=b"x"))
    assert error["Code"] == "AccessDenied"
    assert error["Message"] == (
        f"User: arn:aws:sts::{ACCOUNT}:assumed-role/{name}/localaws is not authorized to perform: s3:PutObject on"
        f" resource: arn:aws:s3:::{bucket}/out/a because no identity-based policy allows the s3:PutObject action"
    )


@pytest.mark.parametrize(
    ("service", "call", "code"),
    [
        ("kinesis", "list_streams", "AccessDeniedException"),
        ("ec2", "describe_vpcs", "UnauthorizedOperation"),
        ("iam", "list_roles", "AccessDenied"),
        ("sns", "list_topics", "AuthorizationError"),
        ("s3", "list_buckets", "AccessDenied"),
    ],
)
def test_a_refusal_has_the_code_of_its_service(guarded, role, service, call, code):
    assert refusal(getattr(guarded.client(service, **guarded.role_keys(role())), call))["Code"] == code


def test_a_batch_of_messages_needs_the_permission_of_a_single_one(guarded, role):
    url = guarded.client("sqs").create_queue(QueueName=f"guarded-{next(_numbers)}")["QueueUrl"]
    arn = f"arn:aws:sqs:us-east-1:{ACCOUNT}:{url.rpartition('/')[2]}"
    sqs = guarded.client("sqs", **guarded.role_keys(role(statement("Allow", ["sqs:SendMessage"], arn))))
    sqs.send_message_batch(QueueUrl=url, Entries=[{"Id": "1", "MessageBody": "a"}])
    error = refusal(lambda: sqs.delete_message_batch(QueueUrl=url, Entries=[{"Id": "1", "ReceiptHandle": "r"}]))
    assert "sqs:DeleteMessage on resource" in error["Message"]


def test_an_explicit_deny_wins(guarded, role):
    bucket = bucket_of(guarded)
    name = role(
        statement("Allow", "s3:*", "*"),
        {"Effect": "Deny", "NotAction": "s3:Get*", "NotResource": f"arn:aws:s3:::{bucket}/free/*"},
    )
    s3 = guarded.client("s3", **guarded.role_keys(name))
    s3.put_object(Bucket=bucket, Key="free/a", Body=b"")
    error = refusal(lambda: s3.put_object(Bucket=bucket, Key="a", Body=b""))
    assert error["Message"].endswith("with an explicit deny in an identity-based policy")


def test_a_bucket_policy_grants_and_denies(guarded, role):
    """Page "Policy evaluation logic": one account."""
    bucket, name = bucket_of(guarded), role()
    arn = f"arn:aws:s3:::{bucket}"
    principal = {"Principal": {"AWS": f"arn:aws:iam::{ACCOUNT}:role/{name}"}}
    s3 = guarded.client("s3", **guarded.role_keys(name))
    assert refusal(lambda: s3.list_objects_v2(Bucket=bucket))["Code"] == "AccessDenied"
    policy = document(
        statement("Allow", "s3:ListBucket", arn, Condition={"StringLike": {"s3:prefix": "a/*"}}, **principal),
        statement(
            "Deny", "s3:*", [arn, f"{arn}/*"], Principal="*", Condition={"Bool": {"aws:SecureTransport": "false"}}
        ),
    )
    guarded.client("s3").put_bucket_policy(Bucket=bucket, Policy=policy)
    s3.list_objects_v2(Bucket=bucket, Prefix="a/b")
    assert refusal(lambda: s3.list_objects_v2(Bucket=bucket, Prefix="b"))["Code"] == "AccessDenied"
    denial = document(statement("Deny", "s3:ListBucket", arn, Principal="*"))
    guarded.client("s3").put_bucket_policy(Bucket=bucket, Policy=denial)
    error = refusal(lambda: guarded.client("s3").list_objects_v2(Bucket=bucket))
    assert error["Message"].endswith("with an explicit deny in a resource-based policy")


def test_an_anonymous_request_gets_what_the_bucket_gives_everyone(guarded):
    bucket = bucket_of(guarded)
    guarded.client("s3").put_object(Bucket=bucket, Key="k", Body=b"public")
    url = f"{guarded.endpoint}/{bucket}/k"
    with pytest.raises(urllib.error.HTTPError, match="403"):
        urllib.request.urlopen(url)
    policy = document(statement("Allow", "s3:GetObject", f"arn:aws:s3:::{bucket}/*", Principal="*"))
    guarded.client("s3").put_bucket_policy(Bucket=bucket, Policy=policy)
    with urllib.request.urlopen(url) as answer:
        assert answer.read() == b"public"


def test_conditions_on_the_call_and_on_tags_of_the_resource(guarded, role):
    ec2 = guarded.client("ec2")
    ids = {}
    for owner in ("mine", "theirs"):
        tags = [{"ResourceType": "instance", "Tags": [{"Key": "Name", "Value": owner}]}]
        created = ec2.run_instances(ImageId="ami-12c6146b", MinCount=1, MaxCount=1, TagSpecifications=tags)
        ids[owner] = created["Instances"][0]["InstanceId"]
    name = role(
        statement("Allow", "ec2:StopInstances", "*", Condition={"StringEquals": {"aws:ResourceTag/Name": "mine"}}),
        statement(
            "Allow", "cloudwatch:PutMetricData", "*", Condition={"StringEquals": {"cloudwatch:namespace": "Mine"}}
        ),
    )
    keys = guarded.role_keys(name)
    guarded.client("ec2", **keys).stop_instances(InstanceIds=[ids["mine"]])
    stop = guarded.client("ec2", **keys).stop_instances
    assert refusal(lambda: stop(InstanceIds=list(ids.values())))["Code"] == "UnauthorizedOperation"
    put = guarded.client("cloudwatch", **keys).put_metric_data
    put(Namespace="Mine", MetricData=[{"MetricName": "m", "Value": 1}])
    error = refusal(lambda: put(Namespace="Other", MetricData=[{"MetricName": "m", "Value": 1}]))
    assert "cloudwatch:PutMetricData" in error["Message"]


def test_a_secret_may_be_read_by_its_tags(guarded, role):
    secrets = guarded.client("secretsmanager")
    for team in ("mine", "theirs"):
        secrets.create_secret(Name=f"tagged-{team}", SecretString=team, Tags=[{"Key": "Team", "Value": team}])
    allowed = [
        statement(
            "Allow",
            "secretsmanager:GetSecretValue",
            "*",
            Condition={"StringEquals": {f"{prefix}:ResourceTag/Team": "mine"}},
        )
        for prefix in ("aws", "secretsmanager")
    ]
    for condition in allowed:
        get = guarded.client("secretsmanager", **guarded.role_keys(role(condition))).get_secret_value
        assert get(SecretId="tagged-mine")["SecretString"] == "mine"
        assert refusal(lambda get=get: get(SecretId="tagged-theirs"))["Code"] == "AccessDeniedException"


def test_what_a_role_may_change_of_others_depends_on_their_boundary(guarded, role):
    iam = guarded.client("iam")
    allowing = document(statement("Allow", "*", "*"))
    boundary = iam.create_policy(PolicyName=f"boundary-{next(_numbers)}", PolicyDocument=allowing)["Policy"]["Arn"]
    within = {"Condition": {"StringEquals": {"iam:PermissionsBoundary": boundary}}}
    actions = ["iam:AttachRolePolicy", "iam:CreateRole", "iam:PutRolePermissionsBoundary", "iam:PutRolePolicy"]
    keeper = guarded.client("iam", **guarded.role_keys(role(statement("Allow", actions, "*", **within))))
    bounded = role(PermissionsBoundary=boundary)
    free = role()
    keeper.put_role_policy(RoleName=bounded, PolicyName="p", PolicyDocument=allowing)
    keeper.put_role_permissions_boundary(RoleName=free, PermissionsBoundary=boundary)
    keeper.put_role_policy(RoleName=free, PolicyName="p", PolicyDocument=allowing)
    other = role()
    for call in (
        lambda: keeper.put_role_policy(RoleName=other, PolicyName="p", PolicyDocument=allowing),
        lambda: keeper.attach_role_policy(RoleName=other, PolicyArn=boundary),
        lambda: keeper.put_role_permissions_boundary(RoleName=bounded, PermissionsBoundary=f"{boundary}x"),
        lambda: keeper.create_role(RoleName="unbounded", AssumeRolePolicyDocument=TRUST),
        lambda: keeper.delete_role_permissions_boundary(RoleName=bounded),
    ):
        assert refusal(call)["Code"] == "AccessDenied"


def test_a_session_has_no_more_than_its_session_policy_and_the_roles_boundary(guarded, role):
    iam = guarded.client("iam")
    boundary = iam.create_policy(
        PolicyName=f"boundary-{next(_numbers)}", PolicyDocument=document(statement("Allow", "kinesis:*", "*"))
    )["Policy"]["Arn"]
    name = role(statement("Allow", "*", "*"), PermissionsBoundary=boundary)
    user = iam.create_user(UserName=f"user-{next(_numbers)}")["User"]
    iam.put_user_policy(
        UserName=user["UserName"], PolicyName="p", PolicyDocument=document(statement("Allow", "sts:AssumeRole", "*"))
    )
    key = iam.create_access_key(UserName=user["UserName"])["AccessKey"]
    sts = guarded.client("sts", aws_access_key_id=key["AccessKeyId"], aws_secret_access_key=key["SecretAccessKey"])
    assert sts.get_caller_identity()["Arn"] == user["Arn"]
    created = sts.assume_role(
        RoleArn=f"arn:aws:iam::{ACCOUNT}:role/{name}",
        RoleSessionName="narrow",
        Policy=document(statement("Allow", ["kinesis:ListStreams", "glue:GetDatabases"], "*")),
    )["Credentials"]
    keys = {
        "aws_access_key_id": created["AccessKeyId"],
        "aws_secret_access_key": created["SecretAccessKey"],
        "aws_session_token": created["SessionToken"],
    }
    guarded.client("kinesis", **keys).list_streams()
    within = guarded.client("kinesis", **keys).describe_limits
    assert "no session policy allows" in refusal(within)["Message"]
    beyond = guarded.client("glue", **keys).get_databases
    assert "no permissions boundary allows" in refusal(beyond)["Message"]


def test_attached_policies_count_in_their_default_version(guarded, role):
    iam, name = guarded.client("iam"), role()
    kinesis = guarded.client("kinesis", **guarded.role_keys(name))
    iam.attach_role_policy(RoleName=name, PolicyArn="arn:aws:iam::aws:policy/AmazonKinesisReadOnlyAccess")
    kinesis.list_streams()
    arn = iam.create_policy(
        PolicyName=f"policy-{next(_numbers)}", PolicyDocument=document(statement("Allow", "s3:*", "*"))
    )["Policy"]["Arn"]
    iam.attach_role_policy(RoleName=name, PolicyArn=arn)
    denial = document(statement("Deny", "kinesis:*", "*"))
    version = iam.create_policy_version(PolicyArn=arn, PolicyDocument=denial)["PolicyVersion"]["VersionId"]
    kinesis.list_streams()
    iam.set_default_policy_version(PolicyArn=arn, VersionId=version)
    assert "explicit deny" in refusal(kinesis.list_streams)["Message"]


def test_a_role_is_assumed_only_by_whom_it_trusts(guarded):
    iam = guarded.client("iam")
    trust = TRUST.replace(f'{{"AWS": "arn:aws:iam::{ACCOUNT}:root", ', "{")
    name = f"role-{next(_numbers)}"
    iam.create_role(RoleName=name, AssumeRolePolicyDocument=trust)
    arn = f"arn:aws:iam::{ACCOUNT}:role/{name}"
    error = refusal(lambda: guarded.client("sts").assume_role(RoleArn=arn, RoleSessionName="mine"))
    assert "no resource-based policy allows the sts:AssumeRole action" in error["Message"]


def test_handing_a_role_to_a_service_needs_leave_to_pass_it(guarded, role):
    bucket, passed = bucket_of(guarded), f"arn:aws:iam::{ACCOUNT}:role/{role()}"
    create = statement("Allow", "firehose:CreateDeliveryStream", "*")
    to_glue = statement(
        "Allow", "iam:PassRole", passed, Condition={"StringEquals": {"iam:PassedToService": "glue.amazonaws.com"}}
    )
    to_firehose = json.loads(json.dumps(to_glue).replace("glue.", "firehose."))
    request = {
        "DeliveryStreamName": f"delivery-{next(_numbers)}",
        "S3DestinationConfiguration": {"RoleARN": passed, "BucketARN": f"arn:aws:s3:::{bucket}"},
    }
    refused = guarded.client("firehose", **guarded.role_keys(role(create, to_glue)))
    error = refusal(lambda: refused.create_delivery_stream(**request))
    assert f"iam:PassRole on resource: {passed}" in error["Message"]
    allowed = guarded.client("firehose", **guarded.role_keys(role(create, to_firehose)))
    allowed.create_delivery_stream(**request)


def test_the_call_log_has_each_decision(guarded, role):
    bucket = bucket_of(guarded)
    name = role(statement("Allow", "s3:PutObject", "*"))
    s3 = guarded.client("s3", **guarded.role_keys(name))
    s3.put_object(Bucket=bucket, Key="k", Body=b"")
    refusal(lambda: s3.get_object(Bucket=bucket, Key="k"))
    lines = [call for call in guarded.call_log() if name in call["principal"]]
    assert [(call["action"], call["decision"], call["status"]) for call in lines] == [
        ("PutObject", "allowed", 200),
        ("GetObject", "denied", 403),
    ]
    assert {call["resource"] for call in lines} == {f"arn:aws:s3:::{bucket}/k"}
    assert all(call["request_id"] and call["source"] == "external" and call["time"] for call in lines)


def test_without_enforcement_the_log_tells_what_would_have_been(aws):
    iam = aws.client("iam")
    iam.create_role(RoleName="unbound", AssumeRolePolicyDocument=TRUST)
    aws.client("kinesis", **aws.role_keys("unbound")).list_streams()
    lines = [call for call in aws.call_log() if call["action"] == "ListStreams"]
    assert [(call["decision"], call["enforced"], call["status"]) for call in lines] == [("denied", False, 200)]


@pytest.mark.parametrize(("service", "call", "mismatch", "unknown"), SERVICES)
def test_signatures_count_without_enforcement_too(aws, service, call, mismatch, unknown):
    for keys, code in (
        ({"aws_secret_access_key": "localaws"}, mismatch),
        ({"aws_access_key_id": "AKIANOBODY"}, unknown),
    ):
        assert refusal(getattr(aws.client(service, **keys), call))["Code"] == code


def test_an_anonymous_request_is_refused_without_enforcement_too(aws, bucket, s3):
    s3.put_object(Bucket=bucket, Key="k", Body=b"private")
    with pytest.raises(urllib.error.HTTPError, match="403"):
        urllib.request.urlopen(f"{aws.endpoint}/{bucket}/k")
