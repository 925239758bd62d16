"""Trino acts for each caller with that caller's permissions, and takes requests from localaws alone."""

import json
import os
import re
import signal
import urllib.error
import urllib.request
from pathlib import Path

import psutil
import pytest

from localaws.testing.athena.queries import DATA, ENDLESS, RESULTS, Queries
from localaws.testing.patience import patient
from localaws.testing.server import LocalAws, running_localaws
from localaws.testing.waiting import wait_for

pytestmark = [pytest.mark.slow, pytest.mark.timeout(patient(900))]


def user(trino: LocalAws, name: str, statements: list[dict[str, object]]) -> Queries:
    """Queries of a user who may do what the statements say."""
    iam = trino.client("iam")
    iam.create_user(UserName=name)
    policy = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", **statement} for statement in statements]}
    iam.put_user_policy(UserName=name, PolicyName=name, PolicyDocument=json.dumps(policy))
    key = iam.create_access_key(UserName=name)["AccessKey"]
    options = {"aws_access_key_id": key["AccessKeyId"], "aws_secret_access_key": key["SecretAccessKey"]}
    return Queries(lambda service: trino.client(service, **options), patience=patient(300))


RESULT_FILES = [
    {"Action": ["athena:*"], "Resource": "*"},
    {"Action": ["s3:GetObject", "s3:PutObject"], "Resource": f"arn:aws:s3:::{RESULTS}/*"},
    {"Action": ["s3:ListBucket", "s3:GetBucketLocation"], "Resource": "*"},
]


def test_objects_are_read_and_written_as_the_caller(trino, queries: Queries):
    open_table = queries.json_table("n bigint", {"a.json": [{"n": 1}]})
    closed_table = queries.json_table("n bigint", {"a.json": [{"n": 2}]})
    reader = user(
        trino,
        "objects",
        [
            *RESULT_FILES,
            {"Action": ["glue:*"], "Resource": "*"},
            {"Action": "s3:GetObject", "Resource": f"arn:aws:s3:::{DATA}/{open_table}/*"},
        ],
    )
    assert reader.rows(f"select n from {open_table}") == [["1"]]
    assert reader.failure(f"select n from {closed_table}").startswith("PERMISSION_DENIED")
    location = f"s3://{DATA}/forbidden/"
    ctas = f"create table f1 with (external_location = '{location}') as select 1 as a"
    assert reader.failure(ctas).startswith("PERMISSION_DENIED")
    assert queries.rows("show tables '*f1*'") == []
    denied = [
        line for line in trino.call_log() if line["principal"].endswith("user/objects") and line["decision"] == "denied"
    ]
    assert {line["action"] for line in denied} >= {"GetObject", "PutObject"}
    assert {line["source"] for line in denied} == {"athena"}


def test_tables_are_read_as_the_caller_through_views_too(trino, queries: Queries):
    table = queries.json_table("n bigint", {"a.json": [{"n": 1}]})
    view = queries.name("view")
    queries.ok(f"create view {view} as select n from {table}")
    arn = "arn:aws:glue:us-east-1:123456789012"
    reader = user(
        trino,
        "tables",
        [
            *RESULT_FILES,
            {"Action": ["glue:GetDatabase"], "Resource": "*"},
            {
                "Action": ["glue:GetTable"],
                "Resource": [f"{arn}:catalog", f"{arn}:database/tests", f"{arn}:table/tests/{view}"],
            },
            {"Action": "s3:GetObject", "Resource": f"arn:aws:s3:::{DATA}/*"},
        ],
    )
    reason = reader.failure(f"select n from {table}")
    assert reason.startswith("PERMISSION_DENIED")
    assert f"glue:GetTable on resource: {arn}:table/tests/{table}" in reason
    assert "glue:GetTable" in reader.failure(f"select n from {view}")
    assert reader.rows("select table_name from information_schema.tables where table_schema = 'tests'") == []


def test_definitions_are_written_as_the_caller(trino, queries: Queries):
    table = queries.json_table("n bigint", {"day=1/a.json": [{"n": 1}]}, "day string")
    arn = "arn:aws:glue:us-east-1:123456789012"
    writer = user(
        trino,
        "definitions",
        [
            *RESULT_FILES,
            {"Action": ["glue:Get*"], "Resource": "*"},
            {"Action": ["s3:GetObject", "s3:PutObject"], "Resource": f"arn:aws:s3:::{DATA}/*"},
        ],
    )
    assert "glue:CreateTable on resource" in writer.failure(
        f"create table w1 with (external_location = 's3://{DATA}/w1/') as select 1 as a"
    )
    assert "glue:BatchCreatePartition on resource" in writer.failure(f"insert into {table} values (2, '2')")
    assert f"{arn}:table/tests/w1" in str(trino.call_log())
    assert queries.rows(f"show partitions {table}") == [["day=1"]]


def test_trino_takes_no_request_without_a_token(trino, queries: Queries):
    queries.ok("select 1")
    etc = trino.state / "athena" / "trino" / "etc"
    port = re.search(r"http.port=(\d+)", (etc / "config.properties").read_text())[1]
    for headers in (
        {},
        {"X-Forwarded-Proto": "https"},
        {"X-Forwarded-Proto": "https", "Authorization": "Bearer a.b.c"},
    ):
        request = urllib.request.Request(
            f"http://127.0.0.1:{port}/v1/statement", b"select 1", {"X-Trino-User": "root", **headers}
        )
        with pytest.raises(urllib.error.HTTPError) as rejection:
            urllib.request.urlopen(request)
        assert rejection.value.code in (401, 403)
    listening = {c.laddr.ip for c in psutil.Process(_java(trino)).net_connections() if c.status == psutil.CONN_LISTEN}
    assert {address.removeprefix("::ffff:") for address in listening} == {"127.0.0.1"}


def test_callbacks_answer_nobody_else(trino, queries: Queries):
    queries.ok("select 1")
    etc = trino.state / "athena" / "trino" / "etc"
    url = re.search(r"decisions=(http://[\d.]+:\d+)/", (etc / "access-control.properties").read_text())[1]
    request = urllib.request.Request(f"{url}/wrong/glue", b"{}", {"X-Amz-Target": "AWSGlue.GetDatabases"})
    with pytest.raises(urllib.error.HTTPError) as rejection:
        urllib.request.urlopen(request)
    assert rejection.value.code == 403
    assert all(path.stat().st_mode & 0o077 == 0 for path in etc.rglob("*") if path.is_file())
    secret = re.search(r"decisions=http://[\d.]+:\d+/([^/\n]+)", (etc / "access-control.properties").read_text())[1]
    assert secret not in (etc.parent / "server.log").read_text()


def test_a_killed_server_leaves_no_trino_and_its_successor_starts_another(installed, tmp_path: Path):
    with running_localaws(tmp_path, options=["--athena", "trino"]) as running:
        java = wait_for(lambda: _java(running), timeout=patient(60), what="Trino to be started")
        running.kill()
        wait_for(lambda: not psutil.pid_exists(java), timeout=patient(30), what="Trino to end")
    with running_localaws(tmp_path, options=["--athena", "trino"]) as running:
        queries = Queries(running.client, patience=patient(300)).create()
        assert queries.rows("select 40 + 2") == [["42"]]
        key = queries.start(ENDLESS)
        wait_for(lambda: _state(queries, key) == "RUNNING", timeout=patient(60), what="the query to run")
        queries.client("athena").stop_query_execution(QueryExecutionId=key)
        assert queries.ended(key)["Status"]["State"] == "CANCELLED"
        java = _java(running)
        os.kill(java, signal.SIGKILL)  # a crash: the next statement has another started
        wait_for(lambda: _java(running) != java, timeout=patient(30), what="Trino to end")
        assert queries.rows("select 6 * 7") == [["42"]]
        java = _java(running)
        assert running.stop() == 0
    assert not psutil.pid_exists(java)


def _state(queries: Queries, key: str) -> str:
    execution = queries.client("athena").get_query_execution(QueryExecutionId=key)["QueryExecution"]
    return str(execution["Status"]["State"])


def _java(running: LocalAws) -> int:
    """The process of a server's Trino; 0 where there is none."""
    etc = f"-Dconfig={running.state / 'athena' / 'trino' / 'etc'}"
    processes = psutil.Process(running.process.pid).children(recursive=True)
    alive = (process for process in processes if process.status() != psutil.STATUS_ZOMBIE)
    return next((p.pid for p in alive if any(word.startswith(etc) for word in p.cmdline())), 0)
