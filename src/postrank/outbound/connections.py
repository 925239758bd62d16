"""Connections along the route of their URL: `http.client` for long responses, httpx and requests for short ones."""

import base64
import http.client
from collections.abc import Callable
from typing import cast
from urllib.parse import unquote, urlsplit

import httpx
import requests
from requests.adapters import HTTPAdapter
from urllib3 import HTTPSConnectionPool, ProxyManager

from postrank.outbound.route import proxy_for, tls_context

_PORTS = {"http": 80, "https": 443}


def connection(url: str, timeout: float) -> http.client.HTTPConnection:
    """A connection for `url`, not yet made; `timeout` in seconds. Raises Unusable."""
    parts = urlsplit(url)
    host = parts.hostname or ""
    port = parts.port or _PORTS.get(parts.scheme, 80)
    proxy = proxy_for(url)
    if proxy is None:
        return _plain_or_tls(parts.scheme, host, port, timeout)
    proxy_parts = urlsplit(proxy)
    through = _plain_or_tls(parts.scheme, proxy_parts.hostname or "", proxy_parts.port or 80, timeout)
    through.set_tunnel(host, port, _authorization(proxy_parts.username, proxy_parts.password))
    return through


def http_client(
    *, timeout: float, follow_redirects: bool = False, check: Callable[[httpx.Request], None] | None = None
) -> httpx.Client:
    """An httpx client; `check` sees every request, those of redirects included, and each takes the route of its host.

    Raises Unusable.
    """
    return httpx.Client(
        timeout=timeout,
        follow_redirects=follow_redirects,
        event_hooks={"request": [check]} if check else None,
        transport=_RoutedTransport(),
        trust_env=False,
    )


def route_session(session: requests.Session, url: str) -> None:
    """Make a session of requests take the route to the host of `url`; it reads neither the environment nor ~/.netrc.

    Raises Unusable.
    """
    session.trust_env = False
    proxy = proxy_for(url)
    session.proxies = {urlsplit(url).scheme: proxy} if proxy else {}
    session.mount("https://", _VerifyingAdapter())


class _RoutedTransport(httpx.BaseTransport):
    """Chooses among transports, one for each proxy, by the URL of each request."""

    def __init__(self) -> None:
        self._context = tls_context()
        self._transports: dict[str | None, httpx.HTTPTransport] = {}

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        proxy = proxy_for(str(request.url))
        if proxy not in self._transports:
            self._transports[proxy] = httpx.HTTPTransport(verify=self._context, proxy=proxy, trust_env=False)
        return self._transports[proxy].handle_request(request)

    def close(self) -> None:
        for transport in self._transports.values():
            transport.close()


class _VerifyingAdapter(HTTPAdapter):
    """Verifies servers by the same authorities as all other connections, not by certifi's."""

    def __init__(self) -> None:
        self._context = tls_context()
        super().__init__()

    def init_poolmanager(self, connections: int, maxsize: int, block: bool = False, **options: object) -> None:
        super().init_poolmanager(connections, maxsize, block, ssl_context=self._context, **options)

    def proxy_manager_for(self, proxy: str, **options: object) -> ProxyManager:
        manager: ProxyManager = super().proxy_manager_for(proxy, ssl_context=self._context, **options)
        return manager

    def cert_verify(self, conn: object, url: str, verify: object, cert: object) -> None:  # noqa: ARG002 its signature
        cast("HTTPSConnectionPool", conn).cert_reqs = "CERT_REQUIRED"  # requests would add its own authorities here


def _plain_or_tls(scheme: str, host: str, port: int, timeout: float) -> http.client.HTTPConnection:
    if scheme == "https":
        return http.client.HTTPSConnection(host, port, timeout=timeout, context=tls_context())
    return http.client.HTTPConnection(host, port, timeout=timeout)


def _authorization(user: str | None, password: str | None) -> dict[str, str]:
    if user is None:
        return {}
    credentials = f"{unquote(user)}:{unquote(password or '')}".encode()
    return {"Proxy-Authorization": f"Basic {base64.b64encode(credentials).decode()}"}
