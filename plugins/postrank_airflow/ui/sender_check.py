"""The api-server's check of senders: a web page of another origin cannot use a browser's session with Airflow.

On a loopback address, a browser sends requests wherever a page tells it to: under a foreign name that resolves to
127.0.0.1 (DNS rebinding), and with Airflow's cookie from a page on another port, which SameSite counts as the same
site. Therefore `Host` must be a name of this server, and `Origin` must be this server whenever a request changes
something.

It applies where Airflow's `[api] base_url` is a loopback address, and wherever POSTRANK_UI_HOSTS names the hosts to
accept (separated by commas). Other deployments sit behind a proxy that knows the names.
"""

import ipaddress
import json
import os
from collections.abc import Iterable
from typing import Any
from urllib.parse import urlsplit

_SAFE_METHODS = ("GET", "HEAD", "OPTIONS")
_OWN_SITES = ("", "none", "same-origin")
_LISTED = 80  # characters of a header that a message repeats


class SenderCheck:
    """ASGI middleware around the api-server; `hosts` are further names of the server, None reads the configuration."""

    def __init__(self, app: Any, hosts: Iterable[str] | None = None) -> None:
        self._app = app
        self._hosts = _configured_hosts() if hosts is None else frozenset(hosts)

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        reason = self._rejection(scope) if scope["type"] in ("http", "websocket") else None
        if reason is None:
            await self._app(scope, receive, send)
        elif scope["type"] == "websocket":
            await send({"type": "websocket.close", "code": 1008, "reason": reason})
        else:
            await _reject(reason, send)

    def _rejection(self, scope: Any) -> str | None:
        """Why the request is rejected, or None."""
        if self._hosts is None:
            return None
        headers = {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in scope["headers"]}
        host = headers.get("host", "")
        if not self._is_own(_name(host)):
            return f"{host[:_LISTED]!r} is not a name of this server: add it to POSTRANK_UI_HOSTS"
        if scope["type"] == "http" and scope["method"] in _SAFE_METHODS:
            return None
        origin = headers.get("origin")
        if origin is not None and urlsplit(origin).netloc.lower() != host.lower():
            return f"requests from pages of {origin[:_LISTED]!r} are not accepted"
        if (site := headers.get("sec-fetch-site", "").lower()) not in _OWN_SITES:
            return f"{site[:_LISTED]} requests of a browser are not accepted"
        return None

    def _is_own(self, name: str) -> bool:
        return _is_loopback(name) or name in (self._hosts or ())


def _configured_hosts() -> frozenset[str] | None:
    """The names that the configuration gives this server, or None where the check does not apply."""
    # Every process of Airflow loads the plugin; only the api-server needs its configuration here.
    from airflow.configuration import conf

    base = _name_of_url(conf.get("api", "base_url", fallback=""))
    listed = {_name(host.strip()) for host in os.environ.get("POSTRANK_UI_HOSTS", "").split(",") if host.strip()}
    if not listed and not _is_loopback(base):
        return None
    execution = _name_of_url(conf.get("core", "execution_api_server_url", fallback=""))
    return frozenset({base, execution, *listed} - {""})


def _name_of_url(url: str | None) -> str:
    return _name(urlsplit(url or "").netloc)


def _name(host: str) -> str:
    """The name in a Host header, without its port; empty where there is none."""
    if set(host) & set("@/?#\\, \t"):
        return ""
    try:
        return (urlsplit(f"//{host}").hostname or "").removesuffix(".")
    except ValueError:
        return ""


def _is_loopback(name: str) -> bool:
    try:
        return name == "localhost" or ipaddress.ip_address(name).is_loopback
    except ValueError:
        return False


async def _reject(reason: str, send: Any) -> None:
    body = json.dumps({"detail": reason}).encode()
    headers = [(b"content-type", b"application/json"), (b"content-length", str(len(body)).encode())]
    await send({"type": "http.response.start", "status": 403, "headers": headers})
    await send({"type": "http.response.body", "body": body})
