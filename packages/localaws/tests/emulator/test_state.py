"""What was acknowledged outlives a kill and a clean stop, under the same names."""

import json
import re
import subprocess
import sys
import threading

import pytest
from botocore.exceptions import BotoCoreError, ClientError

from localaws.emulator.snapshotter import EVERY
from localaws.testing.patience import patient
from localaws.testing.server import running_localaws
from localaws.testing.waiting import wait_for

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
        there = {item["Name"] for page in pages for item in page["TableList"]}
        assert set(acknowledged) <= there
        s3 = aws.client("s3")
        bodies = {name: s3.get_object(Bucket="bucket-of-state", Key=name)["Body"].read() for name in objects}
        assert bodies == {name: name.encode() for name in objects}


def take_snapshot(aws):
    """Have a snapshot made as the server has one made now and then, while it serves."""
    argv = [sys.executable, "-m", "localaws.emulator.snapshot_process", str(aws.state / "emulator")]
    created = subprocess.run(argv, capture_output=True, text=True, check=False, timeout=patient(120))
    assert (created.returncode, created.stderr) == (0, "")


@pytest.mark.parametrize("end", ["kill", "stop", "snapshot"])
def test_identifiers_and_times_are_the_same_after_a_restart(tmp_path, end):
    def shown(aws):
        ec2, glue, sqs, iam = (aws.client(name) for name in ("ec2", "glue", "sqs", "iam"))
        instance = ec2.describe_instances()["Reservations"][0]["Instances"][0]
        return {
            "instance": (instance["InstanceId"], instance["LaunchTime"], instance["SubnetId"]),
            "networks": sorted(item["VpcId"] for item in ec2.describe_vpcs()["Vpcs"]),
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
        aws.client("ssm").put_parameter(Name="/p", Value="v", Type="String")
        aws.client("kms").create_key()
        aws.client("logs").create_log_group(logGroupName="g")
        if end == "snapshot":
            take_snapshot(aws)
        for status in ("Suspended", "Enabled"):
            aws.client("s3").put_bucket_versioning(Bucket="bucket-of-state", VersioningConfiguration={"Status": status})
        before = shown(aws)
        assert (aws.stop() == 0) if end == "stop" else aws.kill() is None
    with running_localaws(tmp_path) as aws:
        assert shown(aws) == before
        assert aws.client("ssm").get_parameter(Name="/p")["Parameter"]["Value"] == "v"
        instances = aws.client("ec2").describe_instances()["Reservations"][0]["Instances"]
        aws.client("ec2").terminate_instances(InstanceIds=[instances[0]["InstanceId"]])
        if end == "snapshot":
            assert "took up the snapshot" in aws.stderr.read_text()


def test_a_start_replays_no_more_than_a_snapshot_lacks(tmp_path):
    def replayed(aws):
        aws.client("ssm").describe_parameters()
        return [int(item) for item in re.findall(r"replayed (\d+) calls", aws.stderr.read_text())]

    with running_localaws(tmp_path) as aws:
        ssm = aws.client("ssm")
        for number in range(EVERY + 5):
            ssm.put_parameter(Name=f"/p/{number}", Value="v", Type="String")
        wait_for((aws.state / "emulator" / "snapshot.pickle").exists, timeout=120, what="a snapshot")
        aws.kill()
    with running_localaws(tmp_path) as aws:
        assert sum(replayed(aws)) <= 5
        result = aws.client("ssm").get_paginator("get_parameters_by_path").paginate(Path="/p")
        assert sum(len(page["Parameters"]) for page in result) == EVERY + 5


@pytest.mark.parametrize("damage", [b"", b"no pickle", b"\x80\x05cposix\nnothing_of_this_name\n."])
def test_a_snapshot_that_cannot_be_read_is_passed_over(tmp_path, damage):
    with running_localaws(tmp_path) as aws:
        aws.client("sqs").create_queue(QueueName="q")
        take_snapshot(aws)
    (aws.state / "emulator" / "snapshot.pickle").write_bytes(damage)
    with running_localaws(tmp_path) as aws:
        assert aws.client("sqs").get_queue_url(QueueName="q")["QueueUrl"]
        assert "the whole journal is replayed" in aws.stderr.read_text()


def test_a_deleted_message_stays_deleted_and_a_waiting_one_stays(tmp_path):
    with running_localaws(tmp_path) as aws:
        sqs = aws.client("sqs")
        url = sqs.create_queue(QueueName="q")["QueueUrl"]
        for text in ("first", "second"):
            sqs.send_message(QueueUrl=url, MessageBody=text)
        received = sqs.receive_message(QueueUrl=url, VisibilityTimeout=0, WaitTimeSeconds=1)["Messages"][0]
        sqs.delete_message(QueueUrl=url, ReceiptHandle=received["ReceiptHandle"])
        aws.kill()
    with running_localaws(tmp_path) as aws:
        sqs = aws.client("sqs")
        url = sqs.get_queue_url(QueueName="q")["QueueUrl"]
        left = sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10)["Messages"]
        assert [item["Body"] for item in left] == [{"first": "second", "second": "first"}[received["Body"]]]


def test_role_sessions_are_still_good_after_a_restart(tmp_path):
    with running_localaws(tmp_path, enforce_iam=True) as aws:
        aws.client("iam").create_role(RoleName="r", AssumeRolePolicyDocument=json.dumps(TRUST))
        keys = aws.role_keys("r")
        aws.kill()
    with running_localaws(tmp_path, enforce_iam=True) as aws:
        arn = aws.client("sts", **keys).get_caller_identity()["Arn"]
        assert arn == "arn:aws:sts::123456789012:assumed-role/r/localaws"
