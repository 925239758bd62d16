"""How long the local AWS takes to be ready, to be ready again with a journal to replay, and what it holds when idle.

Prints seconds from the start of the process to the ready line and to the first answer of the emulator (which loads
behind the ready line), and the resident memory after five idle seconds.

    uv run python benchmarks/localaws_start.py [--calls 1000]
"""

import argparse
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import boto3

from localaws.core.root_key import root_key

IDLE_SECONDS = 5


def client(endpoint, service, state):
    root = root_key(Path(state) / "credentials")
    keys = {"aws_access_key_id": root.key, "aws_secret_access_key": root.secret}
    return boto3.client(service, endpoint_url=endpoint, region_name="us-east-1", **keys)


def started(state):
    """(process, endpoint, seconds to the ready line, seconds to the emulator's first answer)."""
    argv = [sys.executable, "-m", "localaws", "serve", "--port", "0", "--state", str(state)]
    begun = time.monotonic()
    process = subprocess.Popen(argv, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    endpoint = process.stdout.readline().split()[-1]
    ready = time.monotonic() - begun
    client(endpoint, "glue", state).get_databases()
    return process, endpoint, ready, time.monotonic() - begun


def resident_mb(process):
    status = Path(f"/proc/{process.pid}/status").read_text(encoding="ascii")
    return next(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmRSS")) / 1024


def stopped(process):
    process.terminate()
    process.wait(30)
    process.stdout.close()


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--calls", type=int, default=1000, help="calls in the journal of the second start")
    calls = parser.parse_args().calls
    with tempfile.TemporaryDirectory() as folder:
        process, endpoint, ready, first = started(folder)
        time.sleep(IDLE_SECONDS)
        print(f"empty state: ready {ready:.2f} s, emulator answers {first:.2f} s, idle {resident_mb(process):.0f} MB")
        glue = client(endpoint, "glue", folder)
        glue.create_database(DatabaseInput={"Name": "d"})
        for number in range(calls - 1):
            glue.create_table(DatabaseName="d", TableInput={"Name": f"t{number}"})
        stopped(process)
        process, endpoint, ready, first = started(folder)
        print(f"{calls} calls: ready {ready:.2f} s, emulator answers {first:.2f} s, {resident_mb(process):.0f} MB")
        stopped(process)


if __name__ == "__main__":
    main()
