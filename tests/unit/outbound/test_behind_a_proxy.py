"""Every connection of the product through a proxy that opens TLS with a private authority, and the doctor's view."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from localaws.testing.patience import patient
from localaws.testing.server import LocalAws, running_localaws
from postrank.aws.clients import Clients
from postrank.laptop.provision import Provision
from postrank.outbound.connections import http_client
from postrank.posts import Post
from tests.support.fakes.connect_proxy import ConnectProxy, connect_proxy
from tests.support.streaming.behind_proxy import BUNDLES, HANDLE, HOSTS, VARIABLES, Proxied, proxied
from tests.support.streaming.source_reader import built, reading
from tests.support.streaming.streamers import NAMES, StreamerProcess

NOWHERE = "http://127.0.0.1:9"
AWS_HOSTS = ("sts.us-east-1.amazonaws.com", "kinesis.us-east-1.amazonaws.com", "s3.amazonaws.com")


@pytest.fixture(autouse=True)
def no_route(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in (*VARIABLES, *BUNDLES, "SSL_CERT_DIR"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)


@pytest.fixture(params=HOSTS)
def behind(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Proxied]:
    with proxied(request.param, tmp_path) as network:
        yield network


def use(monkeypatch: pytest.MonkeyPatch, environment: dict[str, str]) -> None:
    for name, value in environment.items():
        monkeypatch.setenv(name, value)


@pytest.mark.parametrize("bundle", BUNDLES)
def test_a_network_is_read_through_the_proxy_with_each_bundle(
    behind: Proxied, bundle: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    use(monkeypatch, behind.environment(bundle))
    with reading(built(behind.network.name, tmp_path / "state", **behind.table)) as stream:
        stream.until(behind.network.connected, "the stream to be open")
        ids = [behind.network.publish(1)]
        stream.until_ids(*ids)
        if behind.network.name.startswith("bluesky"):
            stream.until(lambda: _handles(behind, stream.events, ids), "the handle of the directory")
    assert behind.proxy.names == set(HOSTS[_key(behind)])


def _handles(behind: Proxied, events: list, ids: list[str]) -> bool:  # type: ignore[type-arg]
    ids.append(behind.network.publish(len(ids) + 1))
    return any(isinstance(event, Post) and event.author_handle == HANDLE for event in events)


def _key(behind: Proxied) -> str:
    return "bluesky" if behind.network.name == "bluesky" else behind.network.name


def test_a_certificate_of_an_unknown_authority_is_not_accepted(
    behind: Proxied, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    use(monkeypatch, {"HTTPS_PROXY": behind.proxy.url})
    source = built(behind.network.name, tmp_path / "state", **behind.table)
    with pytest.raises(Exception, match=r"(?i)certificate|SSL"):
        source.ask()  # type: ignore[attr-defined]
    assert behind.network.opened() == 0


def doctor(streamer: StreamerProcess) -> str:
    argv = [sys.executable, "-m", "postrank", "doctor", "--config", str(streamer.write())]
    environment = streamer.environment()
    return subprocess.run(
        argv, env=environment, capture_output=True, text=True, check=False, timeout=patient(60)
    ).stdout


def test_the_doctor_takes_the_streams_own_route_and_names_it(behind: Proxied, tmp_path: Path) -> None:
    streamer = StreamerProcess(tmp_path, NOWHERE, [], {"source": {"kind": behind.network.name, **behind.table}})
    behind.proxy.password = "proxy-secret"
    streamer.env = behind.environment("SSL_CERT_FILE")
    findings = doctor(streamer)
    assert "\nok    source: " in findings
    route = f"through the proxy http://127.0.0.1:{behind.proxy.port}"
    authorities = f"certificate authorities: SSL_CERT_FILE={behind.proxy.authority}"
    assert f"{HOSTS[_key(behind)][0]}" in findings
    assert f"{route}; {authorities}" in findings
    assert f"127.0.0.1:9 directly; {authorities}" in findings, "the route to AWS"
    assert "proxy-secret" not in findings
    assert HOSTS[_key(behind)][0] in behind.proxy.names
    if behind.network.name == "mastodon":
        assert behind.network.opened() == 1, "the stream itself was opened"
    streamer.env["HTTPS_PROXY"] = behind.proxy.url.replace("proxy-secret", "other-secret")
    findings = doctor(streamer)
    assert "\nFAIL  source: " in findings
    assert "407" in findings
    assert "other-secret" not in findings


def test_the_doctor_names_a_proxy_and_a_bundle_that_cannot_be_used(tmp_path: Path) -> None:
    with proxied("x", tmp_path) as behind:
        streamer = StreamerProcess(tmp_path, NOWHERE, [], {"source": {"kind": "x", **behind.table}})
        streamer.env = {"HTTPS_PROXY": "socks5://127.0.0.1:9"}
        assert "FAIL  source: the proxy is a socks5 address: give HTTPS_PROXY as http://host:port" in doctor(streamer)
        streamer.env = {"REQUESTS_CA_BUNDLE": str(tmp_path / "missing.pem")}
        findings = doctor(streamer)
    expected = f"REQUESTS_CA_BUNDLE names {tmp_path / 'missing.pem'}, which cannot be read (No such file or directory)"
    assert f"FAIL  source: {expected}\n      -> correct the environment" in findings
    assert f"FAIL  AWS route: {expected}\n      -> correct the environment" in findings


@pytest.fixture(scope="module")
def local_aws(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalAws]:
    allowed = [word for name in AWS_HOSTS for word in ("--allow-host", name)]
    with running_localaws(tmp_path_factory.mktemp("aws"), options=allowed) as aws:
        list(Provision(aws.client, NAMES).base())
        yield aws


@pytest.fixture
def aws_proxy(local_aws: LocalAws, tmp_path: Path) -> Iterator[ConnectProxy]:
    port = urlsplit(local_aws.endpoint).port or 0
    with connect_proxy(tmp_path, dict.fromkeys(AWS_HOSTS, port)) as proxy:
        yield proxy


def _keys(aws: LocalAws) -> dict[str, str]:
    return {"AWS_ACCESS_KEY_ID": aws.root.key, "AWS_SECRET_ACCESS_KEY": aws.root.secret}


@pytest.mark.parametrize("bundle", BUNDLES)
def test_aws_is_reached_through_the_proxy_with_each_bundle(
    local_aws: LocalAws, aws_proxy: ConnectProxy, bundle: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    use(monkeypatch, {**_keys(local_aws), "HTTPS_PROXY": aws_proxy.url, bundle: str(aws_proxy.authority)})
    clients = Clients("us-east-1")
    assert clients.get("sts").get_caller_identity()["Account"] == NAMES.account
    assert clients.get("s3").list_buckets()["Buckets"]
    assert clients.get("kinesis").list_streams()["StreamNames"]
    assert aws_proxy.names == {"sts.us-east-1.amazonaws.com", "kinesis.us-east-1.amazonaws.com", "s3.amazonaws.com"}


def test_the_local_aws_is_reached_directly_whatever_proxy_is_named(
    local_aws: LocalAws, monkeypatch: pytest.MonkeyPatch
) -> None:
    use(monkeypatch, dict.fromkeys(VARIABLES[:3], NOWHERE))
    use(monkeypatch, {**_keys(local_aws), "AWS_ENDPOINT_URL": local_aws.endpoint})
    assert Clients("us-east-1").get("sts").get_caller_identity()["Account"] == NAMES.account
    assert local_aws.client("sts").get_caller_identity()["Account"] == NAMES.account


def test_the_streamer_reaches_its_network_by_the_proxy_and_the_local_aws_without(
    local_aws: LocalAws, tmp_path: Path
) -> None:
    with proxied("x", tmp_path) as behind:
        streamer = StreamerProcess(tmp_path, local_aws.endpoint, [], {"source": {"kind": "x", **behind.table}})
        proxies = {"HTTP_PROXY": behind.proxy.url, "ALL_PROXY": behind.proxy.url}
        streamer.env = {**local_aws.root_environment, **behind.environment("REQUESTS_CA_BUNDLE"), **proxies}
        findings = doctor(streamer)
    assert "FAIL" not in findings
    assert behind.proxy.names == {"api.x.example"}


@pytest.mark.parametrize("scheme", ["https", "http"])
def test_a_short_request_takes_the_route_of_each_redirect(
    scheme: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with proxied("x", tmp_path) as behind:
        use(monkeypatch, {**behind.environment("AWS_CA_BUNDLE"), "HTTP_PROXY": behind.proxy.url})
        monkeypatch.setenv("NO_PROXY", "other.example")
        with http_client(timeout=patient(30)) as client:
            assert client.get(f"{scheme}://api.x.example/2/trends/by/woeid/1").status_code in (401, 404)
            assert behind.proxy.names == {"api.x.example"}
            with pytest.raises(Exception, match=r"(?i)name|resolution"):
                client.get(f"{scheme}://other.example/")
    assert behind.proxy.names == {"api.x.example"}
