"""Instances in tests: a program to run on them, and what can be seen of it from outside."""

import sys
from pathlib import Path

import psutil

from localaws.testing.server import LocalAws
from localaws.testing.waiting import wait_for

SPEED = 60
IMAGE = "ami-12c6146b"
# A program that says that it began, and goes on until it is told to stop.
PROGRAM = """
import os, pathlib, signal, sys
here = pathlib.Path(sys.argv[1])
with (here / "starts").open("a") as starts:
    starts.write(f"{os.getpid()} {os.environ['INSTANCE_ID']} {os.environ.get('AWS_CONTAINER_CREDENTIALS_FULL_URI')}\\n")
signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
while True:
    signal.pause()
"""


def describe_unit(folder: Path, name: str, restart: str = "on-failure") -> None:
    """Have a unit of that name run the program; it keeps its starts in a folder of its own."""
    (folder / name).mkdir()
    (folder / "units").mkdir(exist_ok=True)
    (folder / "program.py").write_text(PROGRAM)
    (folder / "units" / f"{name}.toml").write_text(
        f"argv = ['{sys.executable}', '{folder / 'program.py'}', '{folder / name}']\nrestart = '{restart}'\n"
    )


def starts(folder: Path, unit: str) -> list[int]:
    """The process ids of the unit's starts so far, alive or not."""
    path = folder / unit / "starts"
    return [int(line.split()[0]) for line in path.read_text().splitlines()] if path.exists() else []


def alive(pid: int) -> bool:
    """Whether the process has not ended: a zombie has, and only its parent has yet to take note."""
    try:
        return bool(psutil.Process(pid).status() != psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return False


def launch(aws: LocalAws, unit: str) -> str:
    tags = [{"ResourceType": "instance", "Tags": [{"Key": "localaws:units", "Value": unit}]}]
    response = aws.client("ec2").run_instances(ImageId=IMAGE, MinCount=1, MaxCount=1, TagSpecifications=tags)
    return str(response["Instances"][0]["InstanceId"])


def state(aws: LocalAws, instance: str) -> str:
    description = aws.client("ec2").describe_instances(InstanceIds=[instance])["Reservations"][0]["Instances"][0]
    return str(description["State"]["Name"])


def await_state(aws: LocalAws, instance: str, expected: str) -> None:
    wait_for(lambda: state(aws, instance) == expected, timeout=20, what=f"{instance} to be {expected}")


def first_start(folder: Path, unit: str) -> int:
    return wait_for(lambda: starts(folder, unit), timeout=20, what="the unit to start")[0]
