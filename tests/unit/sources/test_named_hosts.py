"""Which hosts a server may name."""

import pytest

from postrank.sources.net.named_hosts import UnsafeHost, require_safe

PRIVATE = (
    "127.0.0.1",
    "127.1",
    "2130706433",
    "0.0.0.0",
    "10.1.2.3",
    "172.16.0.1",
    "192.168.1.1",
    "100.64.0.1",
    "169.254.169.254",
    "224.0.0.1",
    "[::1]",
    "[::]",
    "[fe80::1]",
    "[fd00:ec2::254]",
    "[::ffff:169.254.169.254]",
    "[64:ff9b::a9fe:a9fe]",
    "[2002:a9fe:a9fe::1]",
    "localhost",
)


@pytest.mark.parametrize("host", PRIVATE)
def test_a_private_or_link_local_host_is_refused_unless_it_is_trusted(host: str) -> None:
    with pytest.raises(UnsafeHost):
        require_safe(f"https://{host}/api", ())
    with pytest.raises(UnsafeHost):
        require_safe(f"https://{host}/api", (f"{host}:444",))
    require_safe(f"https://{host}/api", (host,))
    require_safe(f"http://{host}:8080/api", (f"{host}:8080",))


@pytest.mark.parametrize("host", ["8.8.8.8", "[2606:4700::1111]", "[::ffff:8.8.8.8]"])
def test_a_public_host_is_used_if_it_is_encrypted(host: str) -> None:
    require_safe(f"https://{host}/api", ())
    with pytest.raises(UnsafeHost, match="not encrypted"):
        require_safe(f"http://{host}/api", ())


@pytest.mark.parametrize("url", ["https://", "https://[", "https://a:port", "nowhere", "file:///etc/passwd", ""])
def test_what_is_no_https_url_is_refused(url: str) -> None:
    with pytest.raises(UnsafeHost):
        require_safe(url, ())


def test_credentials_in_a_url_do_not_make_its_host_a_trusted_one() -> None:
    with pytest.raises(UnsafeHost):
        require_safe("https://social.example@127.0.0.1/", ("social.example",))
