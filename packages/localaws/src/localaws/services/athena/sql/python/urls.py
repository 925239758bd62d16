"""URLs ("URL functions"), as Java's URI reads them: what is no URI has no parts."""

import re
from urllib.parse import quote, quote_plus, unquote, unquote_plus, urlsplit

_URI = re.compile(r"^(?:[A-Za-z][A-Za-z0-9+.-]*:)?(?:[^\s\"<>\\^`{|}%]|%[0-9A-Fa-f]{2})*$")


def part(url: str, name: str) -> str | None:
    """protocol, host, port, path, query or fragment of a URL; null where it has none, or is none."""
    if not _URI.match(url):
        return None
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        return None
    match name:
        case "protocol":
            return url[: len(parts.scheme)] if parts.scheme and ":" in url else ""
        case "host":
            return _host(parts.netloc)
        case "port":
            return None if port is None else str(port)
        case "path":
            return unquote(parts.path)
        case "query":
            return unquote(parts.query) if parts.query else ""
    return unquote(parts.fragment) if parts.fragment else ""


def _host(authority: str) -> str:
    host = authority.rpartition("@")[2]
    match = re.fullmatch(r"(\[[0-9A-Fa-f:.]+\]|[^:]*)(?::\d*)?", host)
    name = match[1] if match else ""
    return name if re.fullmatch(r"\[.*\]|[A-Za-z0-9.-]*", name) else ""


def parameter(url: str, name: str) -> str | None:
    """The first value of a query's parameter."""
    if not _URI.match(url):
        return None
    query = urlsplit(url).query
    for pair in re.split("&", query):
        key, sign, value = pair.partition("=")
        if unquote(key) == name:
            return unquote_plus(value) if sign else ""
    return None


def encode(value: str) -> str:
    return quote_plus(value, safe="*-._").replace("~", "%7E")


def decode(value: str) -> str:
    return unquote_plus(value)


__all__ = ["decode", "encode", "parameter", "part", "quote"]
