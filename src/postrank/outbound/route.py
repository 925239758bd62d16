"""The route to a host: the proxy that the environment names for it, and the authorities whose certificates count.

HTTPS_PROXY, HTTP_PROXY, ALL_PROXY and NO_PROXY (also in lower case, which wins) are read as `urllib` reads them, but
loopback and link-local addresses (the metadata service of an instance) are reached directly, whatever they say.
SSL_CERT_FILE and SSL_CERT_DIR replace the system's authorities (OpenSSL, "X509_get_default_cert_file"),
REQUESTS_CA_BUNDLE and AWS_CA_BUNDLE add to them. boto3 takes one file only: see `aws_authorities`.
"""

import ipaddress
import os
import ssl
from collections.abc import MutableMapping
from pathlib import Path
from urllib.parse import SplitResult, urlsplit
from urllib.request import getproxies_environment, proxy_bypass

from postrank.errors import Fatal

_SECURE = {"https": "https", "wss": "https"}  # the proxy's variable by the URL's scheme; all others are plain
_PORTS = {"https": 443, "http": 80}
_REPLACING = ("SSL_CERT_FILE", "SSL_CERT_DIR")
_ADDING = ("REQUESTS_CA_BUNDLE", "AWS_CA_BUNDLE")
_AWS = ("AWS_CA_BUNDLE", "REQUESTS_CA_BUNDLE", "SSL_CERT_FILE")
_BOTO3 = "boto3's"
_EXEMPT = ("127.0.0.1", "localhost", "::1", "169.254.169.254", "169.254.170.2")


class Unusable(Fatal):
    """The environment names a proxy of a kind that is not supported, or a bundle that cannot be read."""


def proxy_for(url: str) -> str | None:
    """The proxy for a URL as `http://[user:password@]host:port`; None where its host is reached directly.

    Raises Unusable.
    """
    parts = urlsplit(url)
    host = parts.hostname or ""
    kind = _SECURE.get(parts.scheme, "http")
    proxies = getproxies_environment()
    address = proxies.get(kind) or proxies.get("all")
    if not address or is_local(host):
        return None
    if proxy_bypass(f"{host}:{parts.port or _PORTS[kind]}"):
        return None
    return _checked(address if "://" in address else f"http://{address}")


def tls_context() -> ssl.SSLContext:
    """Verifies servers by the authorities that the environment names. Raises Unusable."""
    if _is_set("SSL_CERT_FILE"):  # OpenSSL passes over one that is missing
        _readable("SSL_CERT_FILE")
    context = ssl.create_default_context()
    for variable in filter(_is_set, _ADDING):
        bundle = _readable(variable)
        try:
            if bundle.is_dir():
                context.load_verify_locations(capath=bundle)
            else:
                context.load_verify_locations(cafile=bundle)
        except ssl.SSLError as error:
            raise Unusable(f"{variable} names {bundle}, which holds no certificates in PEM form") from error
    return context


def aws_authorities() -> str | None:
    """The file for boto3's `verify`: AWS_CA_BUNDLE, or else what other connections use; None: boto3's own authorities.

    It replaces boto3's own, as AWS_CA_BUNDLE does (AWS SDKs and Tools Reference Guide, "General configuration").
    Raises Unusable.
    """
    variable = _aws_variable()
    return str(_readable(variable)) if variable else None


def is_local(host: str) -> bool:
    """Whether a host's name or address can only mean this machine, or its own link."""
    if host == "localhost" or host.endswith(".localhost"):  # RFC 6761
        return True
    try:
        address = ipaddress.ip_address(host.partition("%")[0])
    except ValueError:
        return False
    return address.is_loopback or address.is_link_local


def exempt_local_hosts(environ: MutableMapping[str, str]) -> None:
    """Add local hosts to NO_PROXY where a proxy is named, for libraries that read the environment by themselves."""
    if not any(name.lower().endswith("_proxy") and name.lower() != "no_proxy" for name in environ):
        return
    hosts = environ.get("no_proxy") or environ.get("NO_PROXY") or ""
    if hosts.strip() == "*":
        return
    listed = [host.strip() for host in hosts.split(",") if host.strip()]
    exempt = ",".join([*listed, *(host for host in _EXEMPT if host not in listed)])
    environ["no_proxy"] = exempt
    environ["NO_PROXY"] = exempt


def describe(url: str) -> str:
    """The route in words, without the proxy's password."""
    names = [name for name in _REPLACING if _is_set(name)] or ["the system's"]
    names += filter(_is_set, _ADDING)
    return f"{_way(url)}; certificate authorities: {', '.join(map(_labelled, names))}"


def describe_aws(url: str) -> str:
    """The route of boto3 to an endpoint in words, without the proxy's password."""
    return f"{_way(url)}; certificate authorities: {_labelled(_aws_variable() or _BOTO3)}"


def _way(url: str) -> str:
    try:
        proxy = proxy_for(url)
    except Unusable as error:
        return str(error)
    return "directly" if proxy is None else f"through the proxy {_shown(urlsplit(proxy))}"


def _checked(address: str) -> str:
    try:
        parts = urlsplit(address)
        usable = parts.scheme == "http" and bool(parts.hostname) and parts.port != 0
    except ValueError:  # a port that is not a number
        parts = SplitResult("", "", "", "", "")
        usable = False
    if not usable:
        raise Unusable(f"the proxy is a {parts.scheme or 'bare'} address: give HTTPS_PROXY as http://host:port")
    return address


def _shown(proxy: SplitResult) -> str:
    return f"http://{proxy.hostname}:{proxy.port or 80}"


def _aws_variable() -> str | None:
    return next(filter(_is_set, _AWS), None)


def _is_set(variable: str) -> bool:
    return bool(os.environ.get(variable))


def _readable(variable: str) -> Path:
    bundle = Path(os.environ[variable])
    try:
        if not bundle.is_dir():
            bundle.open("rb").close()
    except OSError as error:
        raise Unusable(f"{variable} names {bundle}, which cannot be read ({error.strerror})") from error
    return bundle


def _labelled(name: str) -> str:
    return f"{name}={os.environ[name]}" if name.isupper() else name
