"""Hosts that a server names, rather than the configuration: only public ones, and only encrypted.

A server that could name any host would make the streamer talk to whatever lies in its own network, such as the metadata
service of its instance ("Server-Side Request Forgery Prevention", OWASP). The name is resolved again for the connection
itself; what TLS then expects is a certificate for that name.
"""

import ipaddress
import socket
from collections.abc import Collection
from urllib.parse import urlsplit


class UnsafeHost(Exception):
    """A named host that is not to be talked to."""


def require_safe(url: str, trusted: Collection[str]) -> None:
    """Raises UnsafeHost unless `url` is https on public addresses, or its host (with its port) is a trusted one."""
    try:
        parts = urlsplit(url)
        host = parts.hostname or ""
        port = parts.port or 443
    except ValueError as error:
        raise UnsafeHost(f"{url!r} is not a URL: {error}") from error
    if parts.netloc in trusted:
        return
    if parts.scheme != "https":
        raise UnsafeHost(f"{url} is not encrypted")
    for address in _addresses(host, port):
        if not _is_public(address):
            raise UnsafeHost(f"{host} is at {address}, which is not a public address")


def _addresses(host: str, port: int) -> list[str]:
    try:
        addresses = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        raise UnsafeHost(f"{host!r} cannot be resolved: {error}") from error
    return [str(sockaddr[0]) for *_, sockaddr in addresses]


def _is_public(address: str) -> bool:
    ip = ipaddress.ip_address(address.partition("%")[0])
    if isinstance(ip, ipaddress.IPv6Address):
        embedded = ip.ipv4_mapped or ip.sixtofour or (ip.teredo[1] if ip.teredo else None)
        if embedded is not None:
            return embedded.is_global and not embedded.is_multicast
        if ip in _NAT64:
            return ipaddress.IPv4Address(ip.packed[12:]).is_global
    return ip.is_global and not ip.is_multicast


_NAT64 = ipaddress.ip_network("64:ff9b::/96")  # RFC 6052
