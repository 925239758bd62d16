"""Delivery runs under the roles that it is given, and under nothing else."""

import json

import pytest
from botocore.exceptions import ClientError

from localaws.testing.delivery_streams import Lake
from localaws.testing.metrics import metric_points
from localaws.testing.server import running_localaws
from localaws.testing.streams import make_stream, unique
from localaws.testing.waiting import wait_for


@pytest.fixture(scope="module")
def aws(tmp_path_factory):
    with running_localaws(tmp_path_factory.mktemp("localaws"), speed=240, enforce_iam=True) as aws:
        yield aws


def make_role(aws, service, *allowed):
    """The name of a role that a service may assume and that allows these (action, resource)."""
    iam, name = aws.client("iam"), unique("role")
    trust = [{"Effect": "Allow", "Principal": {"Service": service}, "Action": "sts:AssumeRole"}]
    iam.create_role(RoleName=name, AssumeRolePolicyDocument=document(trust))
    allow(aws, name, *allowed)
    return name


def allow(aws, role, *allowed):
    statements = [{"Effect": "Allow", "Action": action, "Resource": resource} for action, resource in allowed]
    if statements:
        aws.client("iam").put_role_policy(RoleName=role, PolicyName="allowed", PolicyDocument=document(statements))


def document(statements):
    return json.dumps({"Version": "2012-10-17", "Statement": statements})


def lake_for(aws, role):
    lake = Lake(aws)
    lake.role = aws.client("iam").get_role(RoleName=role)["Role"]["Arn"]
    return lake


def test_a_role_that_firehose_may_not_assume_is_refused(aws):
    """Page "Grant Firehose access to an Amazon S3 destination": the trust policy."""
    lake = lake_for(aws, make_role(aws, "ec2.amazonaws.com", ("s3:*", "*")))
    with pytest.raises(ClientError, match="unable to assume role"):
        lake.deliver()


def test_delivery_waits_until_its_role_may_write_there(aws):
    """Page "Grant Firehose access to an Amazon S3 destination": s3:PutObject on the objects of the bucket."""
    role = make_role(aws, "firehose.amazonaws.com", ("s3:PutObject", "arn:aws:s3:::elsewhere/*"))
    lake = lake_for(aws, role)
    name = lake.deliver()
    lake.firehose.put_record(DeliveryStreamName=name, Record={"Data": b"x"})

    def refused():
        points = metric_points(
            lake.cloudwatch, "AWS/Firehose", "DeliveryToS3.Success", "Minimum", DeliveryStreamName=name
        )
        return any(point["Minimum"] == 0 for point in points)

    wait_for(refused, what="the delivery to be refused")
    allow(aws, role, ("s3:PutObject", f"arn:aws:s3:::{lake.bucket}/*"))
    lake.wait_for_objects(1)


def test_reading_a_stream_needs_leave_for_that_stream_only(aws):
    """Page "Grant Firehose access to an Amazon S3 destination": a Kinesis data stream as the source."""
    lake = Lake(aws)
    stream = make_stream(lake.kinesis)
    arn = f"arn:aws:kinesis:us-east-1:123456789012:stream/{stream}"
    role = make_role(
        aws,
        "firehose.amazonaws.com",
        ("s3:PutObject", f"arn:aws:s3:::{lake.bucket}/*"),
        (["kinesis:DescribeStream", "kinesis:GetShardIterator", "kinesis:GetRecords", "kinesis:ListShards"], arn),
    )
    lake.role = aws.client("iam").get_role(RoleName=role)["Role"]["Arn"]
    lake.deliver(source=stream)
    lake.kinesis.put_record(StreamName=stream, Data=b"x\n", PartitionKey="k")
    assert lake.wait_for_lines(1) == ["x"]
    reads = [call for call in aws.call_log() if call["action"] == "GetRecords"]
    assert {(call["resource"], call["source"]) for call in reads} == {(arn, "firehose")}
    assert all(f":assumed-role/{role}/" in call["principal"] for call in reads)
