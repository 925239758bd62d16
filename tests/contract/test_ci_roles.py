"""CI's roles cannot make themselves more than they are: the attempts, on a local AWS that enforces IAM.

The documents are those that `terraform/bootstrap` renders. Of AWS's own policies, PowerUserAccess and ReadOnlyAccess
are stood in for by what they allow at most.
"""

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from string import Template
from typing import Any

import pytest
from botocore.exceptions import ClientError

from localaws.iam.decision import Policies, decide
from localaws.iam.policy import Ask, Requester
from localaws.testing.server import LocalAws, running_localaws
from postrank.aws import policies
from postrank.aws.resources import Resources

ACCOUNT = "123456789012"
FOLDER = Path(__file__).resolve().parents[2] / "terraform" / "bootstrap" / "policies"
BOUNDARY = f"arn:aws:iam::{ACCOUNT}:policy/postrank-ci-boundary-dev"
NAMES = {"account": ACCOUNT, "environment": "dev", "boundary": BOUNDARY, "state_bucket": "state"}
ADMINISTRATOR = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}
POWER_USER = {
    "Version": "2012-10-17",
    "Statement": [
        {"Effect": "Allow", "NotAction": ["iam:*", "organizations:*", "account:*"], "Resource": "*"},
        {"Effect": "Allow", "Action": ["iam:CreateServiceLinkedRole", "iam:ListRoles"], "Resource": "*"},
    ],
}
TRUST = json.dumps(
    {
        "Version": "2012-10-17",
        "Statement": [
            {"Effect": "Allow", "Principal": {"AWS": f"arn:aws:iam::{ACCOUNT}:root"}, "Action": "sts:AssumeRole"}
        ],
    }
)
OWN = "postrank-dev-made"


def rendered(name: str, **names: str) -> str:
    return Template((FOLDER / f"{name}.json").read_text(encoding="utf-8")).substitute({**NAMES, **names})


MANAGED_BY = "secretsmanager__ResourceTag/aws:rds:primaryDBInstanceArn"  # as RDS tags the secrets that it rotates


def is_allowed(identity: list[str], action: str, resource: str, **context: str) -> bool:
    """What IAM decides about one request of a role with these policies."""
    who = Requester(arn=f"arn:aws:sts::{ACCOUNT}:assumed-role/role/session", account=ACCOUNT)
    said = {key.replace("__", ":").lower(): [value] for key, value in context.items()}
    return decide(Ask(who=who, action=action, resource=resource, context=said), Policies(identity=identity)).allowed


@pytest.fixture(scope="module")
def aws(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalAws]:
    with running_localaws(tmp_path_factory.mktemp("ci"), enforce_iam=True) as running:
        iam = running.client("iam")
        for environment in ("dev", "prod"):
            document = Template((FOLDER / "boundary.json").read_text()).substitute(
                {**NAMES, "environment": environment}
            )
            iam.create_policy(PolicyName=f"postrank-ci-boundary-{environment}", PolicyDocument=document)
        iam.create_role(RoleName="postrank-ci-deploy-dev", AssumeRolePolicyDocument=TRUST)
        for name, text in (("deploy", rendered("deploy")), ("power", json.dumps(POWER_USER))):
            iam.put_role_policy(RoleName="postrank-ci-deploy-dev", PolicyName=name, PolicyDocument=text)
        for name in ("postrank-prod-deployer", "postrank-dev-unbounded"):
            iam.create_role(RoleName=name, AssumeRolePolicyDocument=TRUST)
        for bucket in ("postrank-dev-raw", "postrank-prod-raw", "state"):
            running.client("s3").create_bucket(Bucket=bucket)
        running.client("s3").put_object(Bucket="state", Key="prod.tfstate", Body=b"{}")
        yield running


@pytest.fixture(scope="module")
def client(aws: LocalAws) -> Callable[[str], Any]:
    """Clients of CI's deploy role of dev."""
    return _as_role(aws, "postrank-ci-deploy-dev")


def _as_role(aws: LocalAws, name: str) -> Callable[[str], Any]:
    arn = f"arn:aws:iam::{ACCOUNT}:role/{name}"
    keys = aws.client("sts").assume_role(RoleArn=arn, RoleSessionName="ci")["Credentials"]
    credentials = {
        "aws_access_key_id": keys["AccessKeyId"],
        "aws_secret_access_key": keys["SecretAccessKey"],
        "aws_session_token": keys["SessionToken"],
    }
    return lambda service: aws.client(service, **credentials)


def _refused(call: Callable[..., Any], **arguments: Any) -> None:
    with pytest.raises(ClientError) as refused:
        call(**arguments)
    assert refused.value.response["Error"]["Code"] in ("AccessDenied", "AccessDeniedException", "403")


def test_deploying_makes_roles_within_the_boundary_which_holds_against_their_own_policies(aws, client):
    iam = client("iam")
    iam.create_role(RoleName=OWN, AssumeRolePolicyDocument=TRUST, PermissionsBoundary=BOUNDARY)
    iam.put_role_policy(RoleName=OWN, PolicyName="all", PolicyDocument=json.dumps(ADMINISTRATOR))
    made = _as_role(aws, OWN)
    made("s3").put_object(Bucket="postrank-dev-raw", Key="a", Body=b"a")
    _refused(made("s3").put_object, Bucket="postrank-prod-raw", Key="a", Body=b"a")
    _refused(made("s3").get_object, Bucket="state", Key="prod.tfstate")
    _refused(made("iam").create_role, RoleName="postrank-dev-more", AssumeRolePolicyDocument=TRUST)
    administrator = json.dumps(ADMINISTRATOR)
    target = "postrank-ci-deploy-dev"
    _refused(made("iam").put_role_policy, RoleName=target, PolicyName="all", PolicyDocument=administrator)
    _refused(made("sts").assume_role, RoleArn=f"arn:aws:iam::{ACCOUNT}:role/{target}", RoleSessionName="up")


def test_deploying_cannot_make_or_change_a_role_without_the_boundary(client):
    iam = client("iam")
    other = BOUNDARY.replace("-dev", "-prod")
    create = {"AssumeRolePolicyDocument": TRUST}
    _refused(iam.create_role, RoleName="postrank-dev-free", **create)
    _refused(iam.create_role, RoleName="postrank-dev-free", PermissionsBoundary=other, **create)
    _refused(iam.create_role, RoleName="postrank-prod-free", PermissionsBoundary=BOUNDARY, **create)
    _refused(iam.create_role, RoleName="administrator", PermissionsBoundary=BOUNDARY, **create)
    document = json.dumps(ADMINISTRATOR)
    for name in ("postrank-dev-unbounded", "postrank-prod-deployer", "postrank-ci-deploy-dev"):
        _refused(iam.put_role_policy, RoleName=name, PolicyName="all", PolicyDocument=document)
        _refused(iam.attach_role_policy, RoleName=name, PolicyArn="arn:aws:iam::aws:policy/AdministratorAccess")


def test_deploying_cannot_lift_the_boundary_or_rewrite_it(client):
    iam = client("iam")
    iam.create_role(RoleName="postrank-dev-bound", AssumeRolePolicyDocument=TRUST, PermissionsBoundary=BOUNDARY)
    _refused(iam.delete_role_permissions_boundary, RoleName="postrank-dev-bound")
    other = BOUNDARY.replace("-dev", "-prod")
    _refused(iam.put_role_permissions_boundary, RoleName="postrank-dev-bound", PermissionsBoundary=other)
    arguments = {"PolicyArn": BOUNDARY, "PolicyDocument": json.dumps(ADMINISTRATOR), "SetAsDefault": True}
    _refused(iam.create_policy_version, **arguments)
    _refused(iam.delete_policy, PolicyArn=BOUNDARY)
    administrator = "arn:aws:iam::aws:policy/AdministratorAccess"
    _refused(iam.attach_role_policy, RoleName="postrank-dev-bound", PolicyArn=administrator)
    _refused(iam.update_assume_role_policy, RoleName="postrank-ci-deploy-dev", PolicyDocument=TRUST)


def test_deploying_one_environment_reaches_neither_the_data_nor_the_roles_of_another(client):
    s3 = client("s3")
    s3.put_object(Bucket="state", Key="dev.tfstate", Body=b"{}")
    s3.put_object(Bucket="postrank-dev-raw", Key="b", Body=b"b")
    _refused(s3.get_object, Bucket="state", Key="prod.tfstate")
    _refused(s3.put_object, Bucket="postrank-prod-raw", Key="b", Body=b"b")
    role = f"arn:aws:iam::{ACCOUNT}:role/postrank-prod-deployer"
    _refused(client("sts").assume_role, RoleArn=role, RoleSessionName="up")


@pytest.mark.parametrize(
    ("action", "resource"),
    [
        ("kinesis:DeleteStream", f"arn:aws:kinesis:us-east-1:{ACCOUNT}:stream/postrank-prod-posts"),
        ("secretsmanager:GetSecretValue", f"arn:aws:secretsmanager:us-east-1:{ACCOUNT}:secret:postrank-prod-x-abcdef"),
        ("ssm:SendCommand", f"arn:aws:ec2:us-east-1:{ACCOUNT}:instance/i-1"),
        ("iam:PassRole", f"arn:aws:iam::{ACCOUNT}:role/postrank-prod-airflow"),
    ],
)
def test_deploying_one_environment_leaves_the_parts_of_another_alone(action, resource):
    identity = [rendered("deploy"), json.dumps(POWER_USER)]
    context = {"iam__PassedToService": "ec2.amazonaws.com"}
    assert not is_allowed(identity, action, resource, **context)
    own = resource.replace("-prod-", "-dev-")
    assert is_allowed(identity, action, own, **context) is (action != "ssm:SendCommand")


def test_deploying_lets_rds_make_a_password_and_never_reads_it():
    """RDS creates its secret with the rights of whoever asks for it ("Password management with Amazon RDS")."""
    identity = [rendered("deploy"), json.dumps(POWER_USER)]
    secret = f"arn:aws:secretsmanager:us-east-1:{ACCOUNT}:secret:rds!db-0123-abcdef"
    assert is_allowed(identity, "secretsmanager:CreateSecret", secret)
    assert is_allowed(identity, "secretsmanager:TagResource", secret)
    assert not is_allowed(identity, "secretsmanager:GetSecretValue", secret)
    assert not is_allowed(identity, "secretsmanager:PutSecretValue", secret)


PUSHES = """
ecr:InitiateLayerUpload ecr:UploadLayerPart ecr:CompleteLayerUpload ecr:PutImage ecr:BatchDeleteImage
ecr:PutImageTagMutability ecr:PutLifecyclePolicy ecr:SetRepositoryPolicy ecr:CreateRepository ecr:DeleteRepository
"""
PULLS = "ecr:BatchGetImage ecr:GetDownloadUrlForLayer ecr:BatchCheckLayerAvailability ecr:DescribeImages"


@pytest.mark.parametrize("action", PUSHES.split())
def test_deploying_pushes_images_into_the_registries_of_its_environment_alone(action):
    identity = [rendered("deploy", environment="prod"), json.dumps(POWER_USER)]
    registry = f"arn:aws:ecr:us-east-1:{ACCOUNT}:repository/"
    assert is_allowed(identity, action, f"{registry}postrank-prod-airflow")
    for other in ("postrank-dev-airflow", "other"):
        assert not is_allowed(identity, action, f"{registry}{other}")


@pytest.mark.parametrize("action", PULLS.split())
def test_deploying_prod_reads_the_images_of_dev_which_it_promotes(action):
    identity = [rendered("deploy", environment="prod"), json.dumps(POWER_USER)]
    assert is_allowed(identity, action, f"arn:aws:ecr:us-east-1:{ACCOUNT}:repository/postrank-dev-airflow")
    assert is_allowed(identity, "ecr:GetAuthorizationToken", "*")


@pytest.mark.parametrize("action", ["ec2:TerminateInstances", "rds:DeleteDBInstance"])
def test_machines_of_another_environment_are_told_by_their_tag(action):
    identity = [rendered("deploy"), json.dumps(POWER_USER)]
    tag = "aws:ResourceTag/Environment".replace(":", "__")
    assert is_allowed(identity, action, "*", **{tag: "dev"})
    assert is_allowed(identity, action, "*")
    assert not is_allowed(identity, action, "*", **{tag: "prod"})


READS_OF_DATA = """
s3:GetObject s3:GetObjectVersion athena:GetQueryResults kinesis:GetRecords logs:GetLogEvents logs:FilterLogEvents
logs:StartQuery logs:GetQueryResults ssm:GetParameter ssm:GetParameters ssm:GetParametersByPath ssm:GetParameterHistory
ssm:GetCommandInvocation sqs:ReceiveMessage lambda:GetFunction ebs:GetSnapshotBlock ecr:BatchGetImage
ecr:GetDownloadUrlForLayer ec2:GetConsoleOutput ec2:GetPasswordData dynamodb:Scan secretsmanager:GetSecretValue
rds:DownloadDBLogFilePortion kms:Decrypt
"""


@pytest.mark.parametrize("action", READS_OF_DATA.split())
def test_planning_reads_no_data_whatever_else_it_may_read(action):
    identity = [rendered("plan"), json.dumps(ADMINISTRATOR)]
    assert not is_allowed(identity, action, f"arn:aws:service:us-east-1:{ACCOUNT}:postrank-prod-raw/anything")


def test_planning_reads_the_state_and_the_public_parameters_of_images():
    identity = [rendered("plan"), json.dumps(ADMINISTRATOR)]
    assert is_allowed(identity, "s3:GetObject", "arn:aws:s3:::state/dev.tfstate")
    image = "arn:aws:ssm:us-east-1::parameter/aws/service/ami-amazon-linux-latest/al2023"
    assert is_allowed(identity, "ssm:GetParameter", image)


@pytest.mark.parametrize(
    "role",
    [
        "airflow",
        "airflow-ecs",
        "airflow-execution",
        "airflow-mwaa",
        "airflow-spark",
        "crawler",
        "deployer",
        "firehose",
        "kafka",
        "spark",
        "streamer",
        "streamer-host",
    ],
)
def test_the_boundary_holds_back_nothing_that_a_role_needs(role):
    """Each permission of each policy, on a resource that its pattern names."""
    document = json.loads(policies.policy(role, Resources.of("dev", ACCOUNT)))
    for statement in document["Statement"]:
        if statement["Effect"] != "Allow":
            continue
        context = {
            "kms__ViaService": "s3.us-east-1.amazonaws.com",
            MANAGED_BY: f"arn:aws:rds:us-east-1:{ACCOUNT}:db:postrank-dev",
        }
        for action in statement["Action"]:
            for resource in statement.get("Resource", ["*"]):
                concrete = resource.replace("*", "any").replace("?", "a") if resource != "*" else "*"
                assert is_allowed([rendered("boundary")], action, concrete, **context), (action, concrete)
