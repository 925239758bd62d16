"""Connections to the outside: through the proxy that the environment names, and with its certificate authorities.

HTTPS_PROXY, HTTP_PROXY, ALL_PROXY and NO_PROXY as other clients read them; SSL_CERT_FILE, SSL_CERT_DIR (OpenSSL's own)
and REQUESTS_CA_BUNDLE add authorities.
"""

import base64
import http.client
import os
import ssl
from pathlib import Path
from urllib.parse import unquote, urlsplit
from urllib.request import getproxies_environment, proxy_bypass

_PORTS = {"http": 80, "https": 443}


class WrongProxy(OSError):
    """The environment names a proxy of a kind that cannot be used."""

    def __init__(self, scheme: str) -> None:
        super().__init__(f"the proxy is a {scheme or 'bare'} address: give HTTPS_PROXY as http://host:port")


def connection(url: str, timeout: float) -> http.client.HTTPConnection:
    """A connection for `url`, not yet made. Raises WrongProxy."""
    parts = urlsplit(url)
    host = parts.hostname or ""
    port = parts.port or _PORTS.get(parts.scheme, 80)
    proxy = _proxy(parts.scheme, host, port)
    if proxy is None:
        return _plain_or_tls(parts.scheme, host, port, timeout)
    proxy_parts = urlsplit(proxy)
    if proxy_parts.scheme != "http" or not proxy_parts.hostname:
        raise WrongProxy(proxy_parts.scheme)
    through = _plain_or_tls(parts.scheme, proxy_parts.hostname, proxy_parts.port or 80, timeout)
    through.set_tunnel(host, port, _authorization(proxy_parts.username, proxy_parts.password))
    return through


def tls_context() -> ssl.SSLContext:
    """Verifies servers by the system's authorities and those that the environment adds."""
    context = ssl.create_default_context()
    if bundle := os.environ.get("REQUESTS_CA_BUNDLE"):
        folder = Path(bundle).is_dir()
        context.load_verify_locations(cafile=None if folder else bundle, capath=bundle if folder else None)
    return context


def _plain_or_tls(scheme: str, host: str, port: int, timeout: float) -> http.client.HTTPConnection:
    if scheme == "https":
        return http.client.HTTPSConnection(host, port, timeout=timeout, context=tls_context())
    return http.client.HTTPConnection(host, port, timeout=timeout)


def _proxy(scheme: str, host: str, port: int) -> str | None:
    """The proxy for a host; None where it is reached directly."""
    proxies = getproxies_environment()
    proxy = proxies.get(scheme) or proxies.get("all")
    if not proxy or proxy_bypass(f"{host}:{port}"):
        return None
    return proxy if "://" in proxy else f"http://{proxy}"


def _authorization(user: str | None, password: str | None) -> dict[str, str]:
    if user is None:
        return {}
    credentials = f"{unquote(user)}:{unquote(password or '')}".encode()
    return {"Proxy-Authorization": f"Basic {base64.b64encode(credentials).decode()}"}
