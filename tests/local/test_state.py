"""What was acknowledged outlives a kill and a clean stop, under the same names."""

import json
import threading

import pytest
from botocore.exceptions import BotoCoreError, ClientError

from tests.support.localaws import running_localaws
from tests.support.waiting import wait_for

TRUST = {
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Allow", "Principal": {"Service": "ec2.amazonaws.com"}, "Action": "sts:AssumeRole"}],
}


def test_nothing_acknowledged_is_lost_when_killed_while_writing(tmp_path):
    acknowledged, objects = [], []

    def write(aws, number):
        glue, s3 = aws.client("glue"), aws.client("s3")
        try:
            for turn in range(10_000):
                name = f"table_{number}_{turn}"
                glue.create_table(DatabaseName="d", TableInput={"Name": name})
                acknowledged.append(name)
                s3.put_object(Bucket="bucket-of-state", Key=name, Body=name.encode())
                objects.append(name)
        except (BotoCoreError, ClientError):
            return  # the server is gone

    with running_localaws(tmp_path) as aws:
        aws.client("glue").create_database(DatabaseInput={"Name": "d"})
        aws.client("s3").create_bucket(Bucket="bucket-of-state")
        writers = [threading.Thread(target=write, args=(aws, number)) for number in range(3)]
        for writer in writers:
            writer.start()
        wait_for(lambda: len(acknowledged) >= 60, timeout=60, what="60 tables")
        aws.kill()
        for writer in writers:
            writer.join()
    with running_localaws(tmp_path) as aws:
        pages = aws.client("glue").get_paginator("get_tables").paginate(DatabaseName="d")
        there = {one["Name"] for page in pages for one in page["TableList"]}
        assert set(acknowledged) <= there
        s3 = aws.client("s3")
        bodies = {name: s3.get_object(Bucket="bucket-of-state", Key=name)["Body"].read() for name in objects}
        assert bodies == {name: name.encode() for name in objects}


@pytest.mark.parametrize("end", ["kill", "stop"])
def test_identifiers_and_times_are_the_same_after_a_restart(tmp_path, end):
    def shown(aws):
        ec2, glue, sqs, iam = (aws.client(name) for name in ("ec2", "glue", "sqs", "iam"))
        instance = ec2.describe_instances()["Reservations"][0]["Instances"][0]
        return {
            "instance": (instance["InstanceId"], instance["LaunchTime"], instance["SubnetId"]),
            "networks": sorted(one["VpcId"] for one in ec2.describe_vpcs()["Vpcs"]),
            "database": glue.get_database(Name="d")["Database"]["CreateTime"],
            "role": [iam.get_role(RoleName="r")["Role"][name] for name in ("Arn", "RoleId", "CreateDate")],
            "topic": aws.client("sns").list_topics()["Topics"],
            "secret": aws.client("secretsmanager").get_secret_value(SecretId="s")["SecretString"],
            "versioning": aws.client("s3").get_bucket_versioning(Bucket="bucket-of-state")["Status"],
            "queue": sqs.get_queue_url(QueueName="q")["QueueUrl"].rpartition("/")[2],
        }

    with running_localaws(tmp_path) as aws:
        aws.client("glue").create_database(DatabaseInput={"Name": "d"})
        aws.client("iam").create_role(RoleName="r", AssumeRolePolicyDocument=json.dumps(TRUST))
        aws.client("ec2").describe_vpcs()  # what is touched first must not matter
        aws.client("ec2").create_vpc(CidrBlock="10.9.0.0/16")
        aws.client("ec2").run_instances(ImageId="ami-12c6146b", MinCount=1, MaxCount=1)
        aws.client("sns").create_topic(Name="t")
        aws.client("sqs").create_queue(QueueName="q")
        aws.client("secretsmanager").create_secret(Name="s", SecretString="kept")
        aws.client("s3").create_bucket(Bucket="bucket-of-state")
        for status in ("Suspended", "Enabled"):
            aws.client("s3").put_bucket_versioning(Bucket="bucket-of-state", VersioningConfiguration={"Status": status})
        before = shown(aws)
        assert (aws.stop() == 0) if end == "stop" else aws.kill() is None
    with running_localaws(tmp_path) as aws:
        assert shown(aws) == before


def test_a_deleted_message_stays_deleted_and_a_waiting_one_stays(tmp_path):
    with running_localaws(tmp_path) as aws:
        sqs = aws.client("sqs")
        url = sqs.create_queue(QueueName="q")["QueueUrl"]
        for text in ("first", "second"):
            sqs.send_message(QueueUrl=url, MessageBody=text)
        got = sqs.receive_message(QueueUrl=url, VisibilityTimeout=0, WaitTimeSeconds=1)["Messages"][0]
        sqs.delete_message(QueueUrl=url, ReceiptHandle=got["ReceiptHandle"])
        aws.kill()
    with running_localaws(tmp_path) as aws:
        sqs = aws.client("sqs")
        url = sqs.get_queue_url(QueueName="q")["QueueUrl"]
        left = sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10)["Messages"]
        assert [one["Body"] for one in left] == [{"first": "second", "second": "first"}[got["Body"]]]


def test_role_sessions_are_still_good_after_a_restart(tmp_path):
    with running_localaws(tmp_path, enforce_iam=True) as aws:
        aws.client("iam").create_role(RoleName="r", AssumeRolePolicyDocument=json.dumps(TRUST))
        keys = aws.role_keys("r")
        aws.kill()
    with running_localaws(tmp_path, enforce_iam=True) as aws:
        arn = aws.client("sts", **keys).get_caller_identity()["Arn"]
        assert arn == "arn:aws:sts::123456789012:assumed-role/r/localaws"
