"""How long the local Athena takes for a trivial statement, and what the idle server costs.

Prints seconds from the start of the process to the ready line; milliseconds from StartQueryExecution to the first page
of results of `select 1` (median, and the 95th percentile); and the share of a processor that the server uses while
nobody calls it, without connections and with 1,500 idle ones.

    uv run python benchmarks/localaws_latency.py [--statements 100]
"""

import argparse
import http.client
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from contextlib import ExitStack, closing
from pathlib import Path
from urllib.parse import urlsplit

import boto3

from localaws.core.root_key import root_key

IDLE_SECONDS = 10
CONNECTIONS = 1500


def client(endpoint, service, state):
    root = root_key(Path(state) / "credentials")
    keys = {"aws_access_key_id": root.key, "aws_secret_access_key": root.secret}
    return boto3.client(service, endpoint_url=endpoint, region_name="us-east-1", **keys)


def started(state):
    """(process, endpoint, seconds to the ready line)."""
    argv = [sys.executable, "-m", "localaws", "serve", "--port", "0", "--state", str(state)]
    begun = time.monotonic()
    process = subprocess.Popen(argv, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    return process, process.stdout.readline().split()[-1], time.monotonic() - begun


def statement_seconds(athena, text):
    """From the call that starts a statement to its first page of results."""
    begun = time.monotonic()
    output = {"OutputLocation": "s3://results/"}
    query = athena.start_query_execution(QueryString=text, ResultConfiguration=output)["QueryExecutionId"]
    while True:
        status = athena.get_query_execution(QueryExecutionId=query)["QueryExecution"]["Status"]
        if status["State"] == "SUCCEEDED":
            athena.get_query_results(QueryExecutionId=query)
            return time.monotonic() - begun
        if status["State"] == "FAILED":
            raise SystemExit(status["StateChangeReason"])


def cpu_seconds(process):
    fields = Path(f"/proc/{process.pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / 100


def idle_percent(process):
    before = cpu_seconds(process)
    time.sleep(IDLE_SECONDS)
    return 100 * (cpu_seconds(process) - before) / IDLE_SECONDS


def open_connections(endpoint, stack):
    limit = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (limit, limit))
    for _ in range(CONNECTIONS):
        connection = stack.enter_context(closing(http.client.HTTPConnection(urlsplit(endpoint).netloc)))
        connection.request("GET", "/_localaws/health")
        connection.getresponse().read()


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--statements", type=int, default=100)
    count = parser.parse_args().statements
    with tempfile.TemporaryDirectory() as folder, ExitStack() as stack:
        process, endpoint, ready = started(folder)
        try:
            client(endpoint, "s3", folder).create_bucket(Bucket="results")
            athena = client(endpoint, "athena", folder)
            first = statement_seconds(athena, "select 1")
            seconds = sorted(statement_seconds(athena, "select 1") for _ in range(count))
            slow = seconds[int(0.95 * count)]
            print(f"ready {ready:.2f} s; first select 1 {1000 * first:.0f} ms")
            print(f"select 1: median {1000 * statistics.median(seconds):.0f} ms, 95 % within {1000 * slow:.0f} ms")
            print(f"idle: {idle_percent(process):.2f} % of a processor")
            open_connections(endpoint, stack)
            busy = statistics.median(statement_seconds(athena, "select 1") for _ in range(20))
            print(f"{CONNECTIONS} idle connections: {idle_percent(process):.2f} %, select 1 {1000 * busy:.0f} ms")
        finally:
            process.terminate()
            process.wait(30)


if __name__ == "__main__":
    main()
