"""The streamer as a process on each network, with faults on: what it shows of itself, and what it never shows."""

from collections.abc import Iterator
from pathlib import Path

import httpx
import orjson
import pytest
from prometheus_client.parser import text_string_to_metric_families

from localaws.testing.patience import patient
from localaws.testing.waiting import wait_for
from tests.support.fakes.aws import AwsServer, aws_server
from tests.support.streaming.networks import NETWORKS, Network
from tests.support.streaming.streamers import StreamerProcess, heartbeat

QUICK = {"patience_seconds": 0.2, "flush_seconds": 0.1, "read_seconds": 1}


@pytest.fixture
def aws() -> Iterator[AwsServer]:
    with aws_server() as server:
        yield server


@pytest.fixture(params=list(NETWORKS))
def network(request: pytest.FixtureRequest) -> Iterator[Network]:
    with NETWORKS[request.param]() as found:
        yield found


@pytest.fixture
def streamer(network: Network, aws: AwsServer, tmp_path: Path) -> StreamerProcess:
    table = orjson.loads(orjson.dumps({"kind": network.name, **network.table}))
    env = {}
    if network.secret:
        table = orjson.loads(orjson.dumps(table).replace(network.secret.encode(), b"env:PLANTED"))
        env = {"PLANTED": network.secret + "\n"}
    settings = {"source": table, "sink": QUICK, "status": {"port": 0}}
    return StreamerProcess(tmp_path, aws.url, [], settings, env, words=("--log-level", "DEBUG"), forked=False)


def rows(streamer: StreamerProcess) -> list[dict[str, object]]:
    """The lines of the log, each of which must be a JSON object with a time, a level and an event."""
    whole = streamer.log.rpartition("\n")[0].splitlines()
    found = [orjson.loads(line) for line in whole]
    assert all({"at", "level", "event", "logger"} <= row.keys() for row in found)
    return found


def test_metrics_are_prometheus_text_with_each_figure_once_and_secrets_are_nowhere(
    network: Network, streamer: StreamerProcess, aws: AwsServer
) -> None:
    process = streamer.start()
    try:
        wait_for(network.connected, what="the connection")
        first = network.publish(100)
        network.malformed()
        wait_for(lambda: aws.lines("-posts"), what="the first post")
        aws.failing = "500"
        network.disconnect()
        wait_for(lambda: network.opened() > 1, what="the next connection")
        wait_for(network.connected, what="the next connection")
        second = network.publish(101)
        wait_for(lambda: any(row["event"] == "sink away" for row in rows(streamer)), what="the spool")
        url = next(str(row["url"]) for row in rows(streamer) if row["event"] == "status")
        answer = httpx.get(f"{url}/metrics")
        command = Path(f"/proc/{process.pid}/cmdline").read_bytes()
        aws.failing = ""
        wait_for(lambda: len(aws.lines("-posts")) >= 2, what="the second post")
        wait_for(lambda: (heartbeat(aws) or {"counts": {}})["counts"].get("delivered", 0) >= 2, what="the heartbeat")
        process.terminate()
        assert process.wait(patient(60)) == 0
    finally:
        process.kill()
        process.wait()
    assert {line["post_id"] for line in aws.lines("-posts")} == {first, second}
    _check_metrics(network, answer)
    assert orjson.loads(aws.objects[_heartbeat_key(aws)])["last_source_contact"]
    if network.secret:
        kept = [path.read_bytes() for path in streamer.state.rglob("*") if path.is_file()]
        told = [streamer.log.encode(), command, answer.content, *aws.objects.values(), *kept]
        assert not [one for one in told if network.secret.encode() in one]


def _heartbeat_key(aws: AwsServer) -> str:
    return next(key for key in aws.objects if key.endswith("heartbeat.json"))


def _check_metrics(network: Network, answer: httpx.Response) -> None:
    assert answer.headers["Content-Type"].startswith("text/plain; version=0.0.4")
    families = list(text_string_to_metric_families(answer.text))
    names = [family.name for family in families]
    assert len(set(names)) == len(names)
    assert all(family.type in ("counter", "gauge") and family.documentation for family in families)
    values = {sample.name: sample.value for family in families for sample in family.samples}
    for name in ("read", "delivered", "rejected", "gaps", "gap_seconds"):
        assert values[f"postrank_{name}_total"] >= 0
    for name in ("spooled", "lag_seconds", "refused_entries", "resent_entries", "source_contact_age_seconds"):
        assert values[f"postrank_{name}"] >= 0
    assert values["postrank_read_total"] >= 2
    assert values[f"postrank_{network.name}_reconnects"] >= 1
    if network.name == "x":
        assert values["postrank_x_spent_month_usd"] == pytest.approx(0.005 * values["postrank_x_posts_month"])
