"""Which hosts are reached through which proxy, verified by which certificate authorities, in words."""

from collections.abc import Callable, Iterable
from urllib.parse import urlsplit


def routes(urls: Iterable[str], describe: Callable[[str], str]) -> str:
    """The routes of the URLs; hosts that share one are named together."""
    hosts: dict[str, list[str]] = {}
    for url in urls:
        hosts.setdefault(describe(url), []).append(urlsplit(url).netloc)
    return "; ".join(f"{', '.join(dict.fromkeys(names))} {route}" for route, names in hosts.items())
