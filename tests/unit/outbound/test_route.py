"""The route that the environment names: through a proxy, around it, and what is said of one that cannot be used."""

import ssl
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from postrank.outbound import (
    Unusable,
    aws_authorities,
    describe,
    describe_aws,
    exempt_local_hosts,
    proxy_for,
    tls_context,
)
from postrank.sources.net.receiving import Lost, Stream
from tests.support.fakes.connect_proxy import ConnectProxy, connect_proxy
from tests.support.fakes.http_server import Handler, serving

ORIGIN = "http://origin.example/stream"
PROXY = "http://proxy.example:3128"


class _Origin(Handler):
    def do_GET(self) -> None:
        self.answer(200, "posts")


@pytest.fixture(autouse=True)
def no_route(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)
    for name in ("SSL_CERT_FILE", "SSL_CERT_DIR", "REQUESTS_CA_BUNDLE", "AWS_CA_BUNDLE"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def proxy(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[ConnectProxy]:
    with (
        serving(None, _Origin, None) as origin,
        connect_proxy(tmp_path, {"origin.example": urlsplit(origin).port or 0}) as running,
    ):
        monkeypatch.setenv("http_proxy", running.url)
        yield running


def test_a_stream_goes_through_the_proxy(proxy: ConnectProxy) -> None:
    assert Stream(ORIGIN, {}, silence=60).take(60) == b'"posts"'
    assert proxy.targets == ["origin.example:80"]


@pytest.mark.parametrize("hosts", ["origin.example", "*", "other.example, origin.example", ".example", "example"])
def test_a_host_of_no_proxy_is_reached_directly(
    hosts: str, proxy: ConnectProxy, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("no_proxy", hosts)
    with pytest.raises(Lost, match="gaierror"):  # only the proxy knows the name
        Stream(ORIGIN, {}, silence=60)
    assert proxy.targets == []


def test_the_proxys_password_is_sent_and_never_shown(proxy: ConnectProxy, monkeypatch: pytest.MonkeyPatch) -> None:
    proxy.password = "p@ss"
    monkeypatch.setenv("http_proxy", f"http://user:p%40ss@127.0.0.1:{proxy.port}")
    assert Stream(ORIGIN, {}, silence=60).take(60) == b'"posts"'
    monkeypatch.setenv("http_proxy", f"http://user:other-secret@127.0.0.1:{proxy.port}")
    with pytest.raises(Lost, match="407") as lost:
        Stream(ORIGIN, {}, silence=60)
    assert "other-secret" not in str(lost.value)
    assert "other-secret" not in describe(ORIGIN)


@pytest.mark.parametrize("address", ["socks5://127.0.0.1:9", "https://127.0.0.1:9", "http://:9", "http://host:port"])
def test_a_proxy_of_another_kind_is_named_as_the_cause(address: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTP_PROXY", address)
    with pytest.raises(Unusable, match="give HTTPS_PROXY as http://host:port"):
        Stream(ORIGIN, {}, silence=60)


@pytest.mark.parametrize(
    "host",
    ["127.0.0.1:4566", "127.8.0.1", "[::1]:4566", "localhost:1", "aws.localhost", "169.254.169.254", "[fe80::1]"],
)
def test_local_hosts_never_go_to_a_proxy(host: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"):
        monkeypatch.setenv(name, PROXY)
    for scheme in ("http", "https", "ws", "wss"):
        assert proxy_for(f"{scheme}://{host}/path") is None
        assert proxy_for(f"{scheme}://10.0.0.1/path") == PROXY


def test_each_scheme_has_its_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTPS_PROXY", "secure.example:1")
    monkeypatch.setenv("HTTP_PROXY", "http://plain.example:2")
    assert proxy_for("https://x.example") == proxy_for("wss://x.example") == "http://secure.example:1"
    assert proxy_for("http://x.example") == proxy_for("ws://x.example") == "http://plain.example:2"


def test_local_hosts_are_added_to_no_proxy_for_libraries_that_read_it() -> None:
    environment = {"HTTPS_PROXY": PROXY, "NO_PROXY": "intranet.example,localhost"}
    exempt_local_hosts(environment)
    expected = "intranet.example,localhost,127.0.0.1,::1,169.254.169.254,169.254.170.2"
    assert environment["no_proxy"] == environment["NO_PROXY"] == expected
    for unchanged in ({"PATH": "/bin"}, {"HTTPS_PROXY": PROXY, "no_proxy": "*"}):
        environment = dict(unchanged)
        exempt_local_hosts(environment)
        assert environment == unchanged


@pytest.fixture
def bundle(tmp_path: Path) -> Path:
    (tmp_path / "bundle").mkdir()
    with connect_proxy(tmp_path / "bundle", {}) as running:
        return running.authority


@pytest.mark.parametrize("variable", ["REQUESTS_CA_BUNDLE", "AWS_CA_BUNDLE"])
def test_the_authorities_of_a_bundle_are_trusted_as_well(
    variable: str, bundle: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", "/dev/null")
    monkeypatch.setenv("SSL_CERT_DIR", "/nowhere")
    assert tls_context().cert_store_stats()["x509_ca"] == 0
    monkeypatch.setenv(variable, str(bundle))
    assert tls_context().cert_store_stats()["x509_ca"] == 1
    assert f"SSL_CERT_FILE=/dev/null, SSL_CERT_DIR=/nowhere, {variable}={bundle}" in describe(ORIGIN)


def test_boto3_gets_its_own_bundle_before_those_of_others(bundle: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert aws_authorities() is None
    for variable in ("SSL_CERT_FILE", "REQUESTS_CA_BUNDLE", "AWS_CA_BUNDLE"):
        path = bundle.with_name(f"{variable}.pem")
        path.write_bytes(bundle.read_bytes())
        monkeypatch.setenv(variable, str(path))
        assert aws_authorities() == str(path)
        assert describe_aws("https://sts.example").endswith(f"authorities: {variable}={path}")


@pytest.mark.parametrize("variable", ["SSL_CERT_FILE", "REQUESTS_CA_BUNDLE", "AWS_CA_BUNDLE"])
def test_a_bundle_that_cannot_be_read_is_named(variable: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(variable, str(tmp_path / "missing.pem"))
    for use in (tls_context, aws_authorities):
        with pytest.raises(Unusable, match=rf"{variable} names .*missing\.pem, which cannot be read \(No such file"):
            use()


def test_a_bundle_without_certificates_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "empty.pem"
    path.write_text("nothing", encoding="utf-8")
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(path))
    with pytest.raises(Unusable, match="holds no certificates in PEM form") as unusable:
        tls_context()
    assert isinstance(unusable.value.__cause__, ssl.SSLError)
