"""What keeps web pages out: a browser can be made to send requests to loopback, so a request must not look like one
that a page of another origin caused.

Sources: "Fetch Standard" (CORS-safelisted requests, the Origin header), "Fetch Metadata Request Headers".
"""

import ipaddress
from collections.abc import Iterable
from urllib.parse import urlsplit

from localaws.core.cloud import AwsError
from localaws.wire.models import model
from localaws.wire.request import HttpRequest
from localaws.wire.routing import Route

_OWN_SITES = ("", "none", "same-origin")
# What a form, or a script without a preflight, can send as a body.
_FORM_TYPES = ("application/x-www-form-urlencoded", "multipart/form-data", "text/plain")
_BODY_TYPES = {"json": ("application/json", "application/x-amz-json-"), "cbor": ("application/cbor",)}
_QUERY_PROTOCOLS = ("query", "ec2")


class Rejected(Exception):
    """Why a request is not let in."""


class Entrance:
    """Lets requests in. `names`: host names, besides those of loopback, under which clients reach the server."""

    def __init__(self, names: Iterable[str] = ()) -> None:
        self._names = frozenset(_bare(name) for name in names)

    def check_sender(self, request: HttpRequest) -> None:
        """Reject a request under a foreign name (DNS rebinding), and one that a page of another origin caused.

        Raises Rejected.
        """
        host = request.headers.get("host", "")
        if not host:
            raise Rejected("the request has no Host header")
        for address in (host, request.authority or host):
            if not self._is_own(_bare(address)):
                raise Rejected(f"{address[:80]!r} is not a name of this server; allow it with --allow-host")
        origin = request.headers.get("origin")
        if origin is not None and origin.lower() not in (f"http://{host.lower()}", f"https://{host.lower()}"):
            raise Rejected(f"requests from pages of {origin[:80]!r} are not accepted")
        if (site := request.headers.get("sec-fetch-site", "").lower()) not in _OWN_SITES:
            raise Rejected(f"{site[:40]} requests of a browser are not accepted")

    def check_form(self, request: HttpRequest, route: Route) -> None:
        """Reject a method or content type that the protocol of the service does not use. Raises Rejected."""
        if route.service == "s3":
            return  # objects have any content type, and S3 runs no commands
        content_type = request.headers.get("content-type", "").lower()
        if route.protocol in _BODY_TYPES:
            if request.method != "POST":
                raise Rejected(f"{route.service} takes POST, not {request.method[:20]}")
            if not content_type.startswith(_BODY_TYPES[route.protocol]):
                raise Rejected(f"{route.service} takes {_BODY_TYPES[route.protocol][-1]}, not {content_type[:80]!r}")
        elif route.protocol in _QUERY_PROTOCOLS:
            if not _speaks_query(route.service):
                raise Rejected(f"{route.service} does not take forms")
        elif content_type.startswith(_FORM_TYPES):
            raise Rejected(f"{route.service} does not take {content_type[:80]!r}")

    def _is_own(self, name: str) -> bool:
        return is_loopback(name) or name.endswith(".localhost") or name in self._names


def refusal(route: Route, rejected: Rejected) -> AwsError:
    """The rejection in the code of the service's protocol."""
    code = "AccessDenied" if route.protocol in ("rest-xml", *_QUERY_PROTOCOLS) else "AccessDeniedException"
    return AwsError(code, f"The local AWS rejected the request: {rejected}", status=403)


def _bare(host: str) -> str:
    """The name in a Host header, without its port."""
    try:
        name = urlsplit(f"//{host}").hostname or ""
    except ValueError:
        return host
    # Whatever urlsplit takes for user, path, query or fragment belongs to no host name.
    return host if set(host) & set("@/?#\\, \t") else name.removesuffix(".")


def is_loopback(name: str) -> bool:
    """Whether a host name or address is this machine's own."""
    try:
        return name == "localhost" or ipaddress.ip_address(name).is_loopback
    except ValueError:
        return False


def _speaks_query(service: str) -> bool:
    description = model(service)
    if description is None:
        return False
    metadata = description.metadata
    protocols = metadata.get("protocols") or [description.protocol]
    return "awsQueryCompatible" in metadata or any(protocol in _QUERY_PROTOCOLS for protocol in protocols)
