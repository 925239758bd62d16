"""A user's token from a Mastodon instance by OAuth 2: the authorization code grant with PKCE.

Mastodon documentation, "OAuth" and "apps": an app registers itself, the user approves it in a browser, and the code
that the browser brings back (or shows) is exchanged for a token.
"""

import base64
import hashlib
import secrets
from dataclasses import dataclass, field
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, HTTPServer
from urllib.parse import parse_qs, urlencode, urlsplit

import httpx

from postrank.documents import Document
from postrank.errors import Fatal, Retryable
from postrank.options import Secret
from postrank.outbound import is_local
from postrank.outbound.connections import http_client

OUT_OF_BAND = "urn:ietf:wg:oauth:2.0:oob"  # the instance shows the code instead of sending the browser on
SCOPE = "read:statuses"
_CALLBACK = "/callback"
_PAGE = b"<!doctype html><title>Postrank</title><p>Postrank has the answer. You can close this page."


class NotAuthorized(Fatal):
    """The instance or its user gave no token."""


class InstanceAway(Retryable):
    """The instance does not answer."""


@dataclass(slots=True)
class Registration:
    """Postrank as an app of one instance, for one authorization."""

    url: str
    redirect: str
    client_id: str
    client_secret: Secret = field(repr=False)
    state: str = field(default_factory=lambda: secrets.token_urlsafe(24))
    verifier: str = field(default_factory=lambda: secrets.token_urlsafe(48), repr=False)

    @classmethod
    def of(cls, url: str, redirect: str) -> "Registration":
        """Register the app. Raises NotAuthorized, InstanceAway."""
        if urlsplit(url).scheme != "https" and not is_local(urlsplit(url).hostname or ""):
            raise NotAuthorized(f"{url} is not encrypted: a token must not travel over it; name an https:// URL")
        form = {"client_name": "Postrank", "redirect_uris": redirect, "scopes": SCOPE}
        document = _post(f"{url}/api/v1/apps", form)
        return cls(url, redirect, _text(document, "client_id", url), Secret(_text(document, "client_secret", url)))

    @property
    def page(self) -> str:
        """Where the user approves."""
        digest = hashlib.sha256(self.verifier.encode()).digest()
        query = {
            "response_type": "code",
            "client_id": self.client_id,
            "redirect_uri": self.redirect,
            "scope": SCOPE,
            "state": self.state,
            "code_challenge": base64.urlsafe_b64encode(digest).rstrip(b"=").decode(),
            "code_challenge_method": "S256",
        }
        return f"{self.url}/oauth/authorize?{urlencode(query)}"

    def token(self, code: str) -> Secret:
        """Exchange the code. Raises NotAuthorized, InstanceAway; neither shows code or token."""
        form = {
            "grant_type": "authorization_code",
            "code": code,
            "client_id": self.client_id,
            "client_secret": self.client_secret.reveal(),
            "redirect_uri": self.redirect,
            "scope": SCOPE,
            "code_verifier": self.verifier,
        }
        return Secret(_text(_post(f"{self.url}/oauth/token", form), "access_token", self.url))


class Callback:
    """A server on loopback to which the browser brings the code, once."""

    def __init__(self) -> None:
        self._queries: list[dict[str, list[str]]] = []
        queries = self._queries

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                parts = urlsplit(self.path)
                answers = parts.path == _CALLBACK
                self.send_response(HTTPStatus.OK if answers else HTTPStatus.NOT_FOUND)
                self.send_header("Content-Type", "text/html")
                self.end_headers()
                if answers:
                    self.wfile.write(_PAGE)
                    queries.append(parse_qs(parts.query))

            def log_message(self, *_: object) -> None:
                """Nothing: the request line holds the code."""

        self._server = HTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}{_CALLBACK}"

    def code(self, state: str, seconds: float) -> str:
        """Wait for the code that belongs to `state`. Raises NotAuthorized after so many seconds without one, or when
        the user declined.
        """
        self._server.timeout = seconds
        while True:
            before = len(self._queries)
            self._server.handle_request()
            if len(self._queries) == before:
                raise NotAuthorized(
                    f"no approval within {seconds:g} s; on a machine without a browser, use --no-browser"
                )
            query = self._queries[-1]
            if not secrets.compare_digest(query.get("state", [""])[0], state):
                continue  # of another page, which knows no state
            if "code" in query:
                return query["code"][0]
            raise NotAuthorized(f"the instance gave no code: {query.get('error', ['no reason'])[0]}")

    def close(self) -> None:
        self._server.server_close()


def _post(url: str, form: dict[str, str]) -> Document:
    try:
        with http_client(timeout=20.0) as client:
            response = client.post(url, data=form)
    except httpx.HTTPError as error:
        raise InstanceAway(f"{url} does not answer: {type(error).__name__}") from None
    if response.status_code >= 500 or response.status_code == HTTPStatus.TOO_MANY_REQUESTS:
        raise InstanceAway(f"{url} answers {response.status_code}: try again later")
    try:
        document: Document = response.json()
    except ValueError:
        document = {}
    if response.status_code != HTTPStatus.OK or not isinstance(document, dict):
        reason = document.get("error", "no reason") if isinstance(document, dict) else "no JSON object"
        raise NotAuthorized(
            f"{url} answers {response.status_code} ({reason}): is it a Mastodon instance, the code new?"
        )
    return document


def _text(document: Document, key: str, url: str) -> str:
    value = document.get(key)
    if not isinstance(value, str) or not value:
        raise NotAuthorized(f"{url} answered without {key}")
    return value
