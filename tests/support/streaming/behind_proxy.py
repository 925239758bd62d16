"""Networks that are reached by name, through a forward proxy with an authority of its own."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from tests.support.fakes.connect_proxy import ConnectProxy, connect_proxy
from tests.support.fakes.http_server import Handler, serving
from tests.support.streaming.networks import NETWORKS, Network

VARIABLES = ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY")
BUNDLES = ("SSL_CERT_FILE", "REQUESTS_CA_BUNDLE", "AWS_CA_BUNDLE")
# By network: the hosts that its source connects to; that of the stream first.
HOSTS = {
    "x": ("api.x.example",),
    "mastodon": ("stream.social.example", "social.example"),
    "bluesky": ("jetstream.example", "plc.example"),
    "bluesky-v2": ("jetstream.example", "plc.example"),
}
HANDLE = "ann.example"
_STREAM, *_ = HOSTS["mastodon"]


class _Directory(Handler):
    def do_GET(self) -> None:
        self.answer(200, {"alsoKnownAs": [f"at://{HANDLE}"]})


@dataclass
class Proxied:
    """A network behind a proxy: `table` has the source's options with the names, not the addresses, of its hosts."""

    network: Network
    proxy: ConnectProxy
    table: dict[str, Any]

    def environment(self, bundle: str) -> dict[str, str]:
        """The variables of a process that reaches it."""
        return {"HTTPS_PROXY": self.proxy.url, bundle: str(self.proxy.authority)}


@contextmanager
def proxied(name: str, folder: Path) -> Iterator[Proxied]:
    """One of NETWORKS behind a running proxy."""
    with NETWORKS[name]() as network, serving(None, _Directory, None) as directory:
        url = {"x": "host", "mastodon": "instances"}.get(name, "hosts")
        address = network.table[url] if name == "x" else network.table[url][0]
        port = urlsplit(address["url"] if name == "mastodon" else address).port or 0
        hosts = dict.fromkeys(HOSTS[name], port)
        if "plc.example" in hosts:
            hosts["plc.example"] = urlsplit(directory).port or 0
        network.announce(f"wss://{HOSTS[name][0]}")
        with connect_proxy(folder, hosts) as proxy:
            yield Proxied(network, proxy, {**network.table, **_named(name, network.table)})


def _named(name: str, table: dict[str, Any]) -> dict[str, Any]:
    host = HOSTS[name][-1]
    if name == "x":
        return {"host": f"https://{host}"}
    if name == "mastodon":
        return {"instances": [{**table["instances"][0], "url": f"https://{host}", "streaming_host": _STREAM}]}
    return {"hosts": [HOSTS[name][0]], "directory": f"https://{host}"}
