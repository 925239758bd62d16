"""Run the public test suites of AWS clients against `localaws serve`, and say how many of their tests pass.

    python packages/localaws/scripts/client_suites.py pyathena --checkout /tmp/PyAthena --python /tmp/venv/bin/python

The checkout is the client's own repository; `--python` is an interpreter in which the client and the requirements of
its tests are installed (with pytest). docs/clients.md lists the commands and the last results.
"""

import argparse
import json
import os
import random
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import boto3

REGION = "us-east-1"
BUCKET = "client-suite"


@dataclass(frozen=True, slots=True)
class Suite:
    """A client's tests: where they are in its repository, and what they expect to exist."""

    folder: str  # from which pytest runs
    tests: tuple[str, ...]
    prepare: Callable[["Server"], dict[str, str]]  # makes it, and returns variables of the environment
    options: tuple[str, ...] = ()
    environment: Mapping[str, str] = field(default_factory=dict)  # tests that no local AWS can pass, and why


@dataclass(frozen=True, slots=True)
class Server:
    """A running localaws."""

    endpoint: str
    environment: dict[str, str]

    def client(self, service: str) -> Any:
        session = boto3.Session(
            aws_access_key_id=self.environment["AWS_ACCESS_KEY_ID"],
            aws_secret_access_key=self.environment["AWS_SECRET_ACCESS_KEY"],
            region_name=REGION,
        )
        make: Any = session.client  # the stubs know each service by a literal name
        return make(service, endpoint_url=self.endpoint)


def _for_pyathena(server: Server) -> dict[str, str]:
    configuration = {"ResultConfiguration": {"OutputLocation": f"s3://{BUCKET}/workgroup/"}}
    server.client("glue").create_database(DatabaseInput={"Name": "default"})  # which an account of AWS has
    server.client("athena").create_work_group(Name="test-pyathena", Configuration=configuration)
    return {
        "AWS_ATHENA_S3_STAGING_DIR": f"s3://{BUCKET}/staging/",
        "AWS_ATHENA_WORKGROUP": "test-pyathena",
        "AWS_ATHENA_SPARK_WORKGROUP": "test-spark",
    }


def _for_awswrangler(server: Server) -> dict[str, str]:
    """The outputs of the stack that its tests look up, and its bucket, which keeps versions."""
    server.client("s3").put_bucket_versioning(Bucket=BUCKET, VersioningConfiguration={"Status": "Enabled"})
    server.client("glue").create_database(DatabaseInput={"Name": "default"})  # which an account of AWS has
    key = server.client("kms").create_key()["KeyMetadata"]["Arn"]
    server.client("glue").create_database(DatabaseInput={"Name": "aws_sdk_pandas"})
    outputs = {
        "Region": REGION,
        "BucketName": BUCKET,
        "GlueDatabaseName": "aws_sdk_pandas",
        "KmsKeyArn": key,
        "BucketAccessPointArn": f"arn:aws:s3:{REGION}:123456789012:accesspoint/absent",
    }
    template = {
        "Resources": {"Handle": {"Type": "AWS::CloudFormation::WaitConditionHandle"}},
        "Outputs": {name: {"Value": value} for name, value in outputs.items()},
    }
    cloudformation = server.client("cloudformation")
    cloudformation.create_stack(StackName="aws-sdk-pandas-base", TemplateBody=json.dumps(template))
    return {}


def _for_dbt(server: Server) -> dict[str, str]:
    configuration = {"ResultConfiguration": {"OutputLocation": f"s3://{BUCKET}/workgroup/"}}
    server.client("athena").create_work_group(Name="dbt", Configuration=configuration)
    return {
        "DBT_TEST_ATHENA_S3_STAGING_DIR": f"s3://{BUCKET}/staging/",
        "DBT_TEST_ATHENA_S3_TMP_TABLE_DIR": f"s3://{BUCKET}/tables/",
        "DBT_TEST_ATHENA_REGION_NAME": REGION,
        "DBT_TEST_ATHENA_DATABASE": "awsdatacatalog",
        "DBT_TEST_ATHENA_SCHEMA": "dbt",
        "DBT_TEST_ATHENA_WORK_GROUP": "dbt",
        # The adapter asks once a second by default; dbt's models of one test run side by side.
        "DBT_TEST_ATHENA_POLL_INTERVAL": "0.05",
        "DBT_TEST_ATHENA_THREADS": "4",
        "DBT_SEND_ANONYMOUS_USAGE_STATS": "false",
    }


_ARROW = ("-p", "arrow_endpoint")
_S3_TESTS = "tests/pyathena/filesystem/test_s3.py::TestS3FileSystem"
# The suite's own options start a process a core, each of which parses dbt's macros.
_ONE_PROCESS = ("-o", "addopts=")
SUITES = {
    "pyathena": Suite(
        ".",
        ("tests/pyathena",),
        _for_pyathena,
        _ARROW,
        {
            "tests/pyathena/spark": "Spark sessions of Athena",
            f"{_S3_TESTS}::test_sign": "URLs with https",
            f"{_S3_TESTS}::test_info_file": "compares a time that S3 gives to the second with microseconds",
        },
    ),
    "pyathena-sqlalchemy": Suite(".", ("tests/sqlalchemy",), _for_pyathena, _ARROW),
    "awswrangler": Suite(
        ".",
        (
            *(f"tests/unit/test_athena{part}.py" for part in ("", "_cache", "_csv", "_parquet", "_prepared")),
            *(f"tests/unit/test_athena_{part}.py" for part in ("projection", "iceberg")),
            "tests/unit/test_catalog.py",
            *(f"tests/unit/test_s3{part}.py" for part in ("", "_excel", "_orc", "_parquet", "_text", "_wait")),
            "tests/unit/test_s3_text_compressed.py",
        ),
        _for_awswrangler,
        _ONE_PROCESS,
        {"tests/unit/test_s3_parquet.py::test_read_from_access_point": "access points of S3"},
    ),
    "dbt-athena": Suite("dbt-athena", ("tests/functional",), _for_dbt, _ONE_PROCESS),
}


@contextmanager
def serving(athena: str, log: Path) -> Iterator[Server]:
    """A server with an empty state and a bucket, until the block ends."""
    with tempfile.TemporaryDirectory() as folder, log.open("wb") as stderr:
        state = Path(folder) / "state"
        command = [sys.executable, "-m", "localaws", "serve", "--port", "0", "--state", str(state), "--speed", "20"]
        process = subprocess.Popen([*command, "--athena", athena], stdout=subprocess.PIPE, stderr=stderr, text=True)
        try:
            endpoint = process.stdout.readline().rpartition(" ")[2].strip() if process.stdout else ""
            if not endpoint:
                raise SystemExit(f"localaws did not start: {log.read_text()}")
            server = Server(endpoint, _environment(endpoint, state / "credentials"))
            server.client("s3").create_bucket(Bucket=BUCKET)
            yield server
        finally:
            process.terminate()
            process.wait(30)


def _environment(endpoint: str, credentials: Path) -> dict[str, str]:
    pairs = [line.partition("=") for line in credentials.read_text().splitlines() if "=" in line]
    keys = {name.strip().upper(): value.strip() for name, _, value in pairs}
    return {
        **keys,
        "AWS_ENDPOINT_URL": endpoint,
        "AWS_ALLOW_HTTP": "true",
        "AWS_REGION": REGION,
        "AWS_DEFAULT_REGION": REGION,
        "AWS_EC2_METADATA_DISABLED": "true",
    }


def run(suite: Suite, server: Server, checkout: Path, python: str, report: Path, options: Sequence[str]) -> None:
    """Run the tests; pytest's own exit status does not matter, its report does."""
    environment = {
        **os.environ,
        **server.environment,
        **suite.prepare(server),
        "PYTHONPATH": str(Path(__file__).parent),  # of the plugins
    }
    tests = () if any(option.startswith("tests") for option in options) else suite.tests
    absent = [f"--deselect={test}" for test in suite.environment]
    command = [python, "-m", "pytest", "-q", f"--junitxml={report.resolve()}", *suite.options, *absent]
    command += [*tests, *options]
    subprocess.run(command, cwd=checkout / suite.folder, env=environment, check=False)


def half(suite: Suite, checkout: Path, seed: int) -> list[str]:
    """Half of the suite's modules, chosen by the seed."""
    root = checkout / suite.folder
    modules = [path for test in suite.tests for path in ((root / test).rglob("test_*.py"))]
    names = sorted(str(path.relative_to(root)) for path in modules)
    return sorted(random.Random(seed).sample(names, (len(names) + 1) // 2))  # noqa: S311 - a choice that repeats


def outcomes(report: Path) -> Counter[str]:
    """How many tests passed, failed, could not be set up ("error") or were skipped, of a JUnit report."""
    counted: Counter[str] = Counter()
    for case in ElementTree.parse(report).iter("testcase"):  # noqa: S314 - pytest wrote it
        kinds = {child.tag for child in case} & {"failure", "error", "skipped"}
        counted[min(kinds, default="passed")] += 1
    return counted


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("suite", choices=SUITES)
    parser.add_argument("--checkout", type=Path, required=True, help="the client's repository")
    parser.add_argument("--python", default=sys.executable, help="the interpreter that has the client installed")
    parser.add_argument("--athena", default="duckdb", choices=("duckdb", "trino"), help="the engine of Athena")
    parser.add_argument("--report", type=Path, default=Path("client-suite.xml"), help="where the JUnit report goes")
    parser.add_argument("--half", type=int, metavar="SEED", help="run half of the modules, chosen by a seed")
    arguments, options = parser.parse_known_args()
    suite = SUITES[arguments.suite]
    if arguments.half is not None:
        options += half(suite, arguments.checkout, arguments.half)
    with serving(arguments.athena, arguments.report.with_suffix(".log")) as server:
        run(suite, server, arguments.checkout, arguments.python, arguments.report, options)
    print(dict(outcomes(arguments.report)))
    for test, reason in suite.environment.items():
        print(f"left out: {test} ({reason})")


if __name__ == "__main__":
    main()
