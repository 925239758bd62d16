"""What runs on an instance calls AWS as the role of its instance profile ("IAM roles for Amazon EC2")."""

import json
import sys
from pathlib import Path

from localaws.testing.instances import IMAGE, SPEED
from localaws.testing.server import running_localaws
from localaws.testing.waiting import wait_for

TRUST = {
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Allow", "Principal": {"Service": "ec2.amazonaws.com"}, "Action": "sts:AssumeRole"}],
}
PROGRAM = """
import pathlib, sys, boto3, botocore.exceptions
try:
    boto3.client("s3").list_objects_v2(Bucket="private")
except botocore.exceptions.ClientError as error:
    refusal = error.response["Error"]["Code"]
pathlib.Path(sys.argv[1]).write_text(boto3.client("sts").get_caller_identity()["Arn"] + " " + refusal)
"""


def test_a_unit_is_its_instances_role_and_no_more(tmp_path: Path) -> None:
    (tmp_path / "units").mkdir()
    output = tmp_path / "said"
    (tmp_path / "program.py").write_text(PROGRAM)
    argv = json.dumps([sys.executable, str(tmp_path / "program.py"), str(output)])
    (tmp_path / "units" / "asks.toml").write_text(f"argv = {argv}\n")
    with running_localaws(tmp_path, speed=SPEED, units=tmp_path / "units", enforce_iam=True) as aws:
        iam = aws.client("iam")
        iam.create_role(RoleName="asker", AssumeRolePolicyDocument=json.dumps(TRUST))
        iam.create_instance_profile(InstanceProfileName="profile")
        iam.add_role_to_instance_profile(InstanceProfileName="profile", RoleName="asker")
        aws.client("s3").create_bucket(Bucket="private")
        tags = [{"ResourceType": "instance", "Tags": [{"Key": "localaws:units", "Value": "asks"}]}]
        aws.client("ec2").run_instances(
            ImageId=IMAGE, MinCount=1, MaxCount=1, IamInstanceProfile={"Name": "profile"}, TagSpecifications=tags
        )
        wait_for(lambda: output.exists() and output.read_text(), timeout=30, what="the unit's answer")
    arn, refusal = output.read_text().split()
    assert ":assumed-role/asker/" in arn
    assert refusal == "AccessDenied"
