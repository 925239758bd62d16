"""How fast the local Kinesis takes records, and whether the local Firehose keeps up.

Prints records a second of 1 KB through PutRecords(500), limits off, for three receivers of the very same requests:
a null server (reads the request, answers from memory), localaws, and localaws with a delivery stream behind it; and
how long after the last record the last object was delivered. Ratios within one run are what counts.

    uv run python benchmarks/localaws_kinesis.py [--records 100000]
"""

import argparse
import base64
import http.client
import json
import multiprocessing
import os
import random
import socketserver
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import boto3

from localaws.core.root_key import RootKey, root_key
from localaws.testing.signing import signed

BATCH = 500
ROLE = "benchmark"
HEADERS = {
    "Content-Type": "application/x-amz-json-1.1",
    "X-Amz-Target": "Kinesis_20131202.PutRecords",
}


class NullHandler(socketserver.StreamRequestHandler):
    """Reads requests by their Content-Length and answers each with the same reply."""

    def handle(self):
        reply = json.dumps({"FailedRecordCount": 0, "Records": [{"ShardId": "s", "SequenceNumber": "4" * 56}] * BATCH})
        answer = f"HTTP/1.1 200 OK\r\nContent-Length: {len(reply)}\r\n\r\n{reply}".encode()
        while line := self.rfile.readline():
            if line.lower().startswith(b"content-length:"):
                length = int(line.split(b":")[1])
            if line == b"\r\n":
                self.rfile.read(length)
                self.wfile.write(answer)


def serve_null(ready):
    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), NullHandler) as server:
        ready.put(server.server_address[1])
        server.serve_forever()


def bodies(stream, count):
    """Requests of 500 records of 1,000 bytes, text that compresses as posts do."""
    draw = random.Random(7)
    words = ["".join(draw.choices("abcdefghijklmnopqrstuvwxyz", k=draw.randint(2, 9))) for _ in range(2000)]
    for number in range(count):
        records = []
        for index in range(BATCH):
            text = " ".join(draw.choices(words, k=200))[:980]
            data = json.dumps({"id": number * BATCH + index, "text": text})[:999].ljust(999) + "\n"
            records.append({"Data": base64.b64encode(data.encode()).decode(), "PartitionKey": str(draw.random())})
        yield json.dumps({"StreamName": stream, "Records": records}).encode()


def send(port, root, bodies):
    """Records a second, over two connections; the requests are signed beforehand."""
    url = f"http://127.0.0.1:{port}/"
    requests = [(body, signed(root, "kinesis", "POST", url, body, HEADERS)) for body in bodies]
    started = time.monotonic()
    with multiprocessing.Pool(2) as pool:
        pool.starmap(send_some, [(port, requests[0::2]), (port, requests[1::2])])
    return len(requests) * BATCH / (time.monotonic() - started)


def send_some(port, requests):
    connection = http.client.HTTPConnection("127.0.0.1", port)
    for body, headers in requests:
        connection.request("POST", "/", body, headers)
        answer = json.loads(connection.getresponse().read())
        if answer["FailedRecordCount"]:
            raise SystemExit(f"{answer['FailedRecordCount']} records were refused")


def client(endpoint, root, name):
    return boto3.client(
        name,
        endpoint_url=endpoint,
        region_name="us-east-1",
        aws_access_key_id=root.key,
        aws_secret_access_key=root.secret,
    )


def make_delivery(endpoint, root, stream):
    trust = {
        "Version": "2012-10-17",
        "Statement": [
            {"Effect": "Allow", "Principal": {"Service": "firehose.amazonaws.com"}, "Action": "sts:AssumeRole"}
        ],
    }
    allow = {
        "Version": "2012-10-17",
        "Statement": [{"Effect": "Allow", "Action": ["s3:*", "kinesis:*"], "Resource": "*"}],
    }
    client(endpoint, root, "s3").create_bucket(Bucket=ROLE)
    iam = client(endpoint, root, "iam")
    role = iam.create_role(RoleName=ROLE, AssumeRolePolicyDocument=json.dumps(trust))["Role"]["Arn"]
    iam.put_role_policy(RoleName=ROLE, PolicyName=ROLE, PolicyDocument=json.dumps(allow))
    client(endpoint, root, "firehose").create_delivery_stream(
        DeliveryStreamName=ROLE,
        DeliveryStreamType="KinesisStreamAsSource",
        KinesisStreamSourceConfiguration={
            "KinesisStreamARN": f"arn:aws:kinesis:us-east-1:123456789012:stream/{stream}",
            "RoleARN": role,
        },
        ExtendedS3DestinationConfiguration={
            "RoleARN": role,
            "BucketARN": f"arn:aws:s3:::{ROLE}",
            "BufferingHints": {"SizeInMBs": 8, "IntervalInSeconds": 10},
            "CompressionFormat": "GZIP",
        },
    )


def make_stream(endpoint, root, name):
    kinesis = client(endpoint, root, "kinesis")
    kinesis.create_stream(StreamName=name, ShardCount=4)
    kinesis.get_waiter("stream_exists").wait(StreamName=name, WaiterConfig={"Delay": 1, "MaxAttempts": 10})
    return name


def wait_for_delivery(endpoint, root, records):
    """Seconds until the delivery stream has delivered that many records, by its own metric."""
    started = time.monotonic()
    checkpointed = client(endpoint, root, "cloudwatch")
    while time.monotonic() - started < 120:
        answer = checkpointed.get_metric_statistics(
            Namespace="AWS/Firehose",
            MetricName="DeliveryToS3.Records",
            Dimensions=[{"Name": "DeliveryStreamName", "Value": ROLE}],
            StartTime=time.time() - 3600,
            EndTime=time.time() + 60,
            Period=3600,
            Statistics=["Sum"],
        )
        if sum(point["Sum"] for point in answer["Datapoints"]) >= records:
            return time.monotonic() - started
        time.sleep(0.2)
    raise SystemExit("the delivery did not catch up within 120 s")


def measure_localaws(records, folder):
    """Records a second without and with a delivery stream, and the seconds that the delivery took longer."""
    environment = {**os.environ, "LOCALAWS_KINESIS_LIMITS": "off"}
    command = [sys.executable, "-m", "localaws", "serve", "--port", "0", "--state", str(folder), "--speed", "240"]
    server = subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True)
    try:
        endpoint = server.stdout.readline().split()[-1]
        root = root_key(folder / "credentials")
        port = int(endpoint.rsplit(":", 1)[1])
        alone = send(port, root, list(bodies(make_stream(endpoint, root, "alone"), records // BATCH)))
        stream = make_stream(endpoint, root, "delivered")
        requests = list(bodies(stream, records // BATCH))
        make_delivery(endpoint, root, stream)
        delivered = send(port, root, requests)
        return alone, delivered, wait_for_delivery(endpoint, root, records)
    finally:
        server.terminate()
        server.wait()


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--records", type=int, default=100_000)
    records = parser.parse_args().records
    ready = multiprocessing.Queue()
    null = multiprocessing.Process(target=serve_null, args=(ready,), daemon=True)
    null.start()
    bare = send(ready.get(), RootKey("null", "null"), list(bodies("null", records // BATCH)))
    null.terminate()
    with tempfile.TemporaryDirectory() as folder:
        alone, delivered, lag = measure_localaws(records, Path(folder))
    print(f"{'receiver':34} {'records/s':>10} {'of null':>8}")
    for name, rate in (("null server", bare), ("localaws", alone), ("localaws, Firehose reading", delivered)):
        print(f"{name:34} {rate:10,.0f} {rate / bare:8.2f}")
    took = records / delivered + lag
    print(f"delivered {records:,} records in {took:.1f} s ({records / took:,.0f}/s), {lag:.1f} s after the last put")


if __name__ == "__main__":
    main()
