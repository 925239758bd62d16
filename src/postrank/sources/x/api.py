"""The requests to X that are answered at once: rules, recent search, connections. tweepy's clients, made safe.

tweepy writes the bearer token into its debug log, knows one host and waits without a limit; so its one method that
sends is replaced, and the rest of it (end points, parameters) is used as it is.
"""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import requests
import tweepy

from postrank.documents import Document
from postrank.errors import Fatal, Retryable
from postrank.options import Secret
from postrank.outbound.connections import route_session

HOST = "https://api.x.com"
# Names and times arrive only when asked for (X API v2, "Fields" and "Expansions").
TWEET_FIELDS = (
    "attachments,author_id,conversation_id,created_at,edit_history_tweet_ids,entities,in_reply_to_user_id,lang,"
    "note_tweet,possibly_sensitive,referenced_tweets"
)
# No expansion brings posts or users beside the author: X charges for those.
FIELDS = {
    "tweet.fields": TWEET_FIELDS,
    "expansions": "author_id,attachments.media_keys",
    "user.fields": "name,username",
    "media.fields": "preview_image_url,type,url",
}
_CONNECT_SECONDS = 10.0
_READ_SECONDS = 30.0
_TEXT = 300  # characters of an answer that an error quotes


class XRefused(Fatal):
    """X does not do what was asked, and will not next time: a wrong token, no access, a wrong query."""

    def __init__(self, what: str, status: int, detail: str) -> None:
        hint = {401: ": the bearer token is not valid", 403: ": the app has no access to this"}.get(status, "")
        super().__init__(f"X refuses {what} with {status}{hint} ({detail})")
        self.status = status
        self.detail = detail


class XUnavailable(Retryable):
    """X cannot be reached, is troubled, or asks to wait; `status` is 0 where there was no answer."""

    def __init__(self, what: str, status: int, detail: str, reset: float | None = None) -> None:
        super().__init__(f"X did not answer {what}: {status or 'no connection'} ({detail})")
        self.status = status
        self.detail = detail
        self.reset = reset  # epoch seconds at which the limit ends


class Api(tweepy.StreamingClient, tweepy.Client):  # type: ignore[misc]  # tweepy has no types
    """Requests with one bearer token. Answers are dictionaries, as X sent them.

    `metrics`: whether to ask for the counts of posts and authors, too; `places`: for the names of places.
    """

    def __init__(self, token: Secret, host: str = HOST, *, metrics: bool = False, places: bool = False) -> None:
        super().__init__(None, return_type=dict)
        self._token, self._host = token, host.rstrip("/")
        self.metrics = metrics
        self.keeps_originals = False  # whether batches are to hold the JSON of posts
        self._fields = {**FIELDS, **_places_too()} if places else FIELDS
        route_session(self.session, self._host)

    @property
    def host(self) -> str:
        """The URL of the API, without a path."""
        return self._host

    @property
    def fields(self) -> dict[str, str]:
        """The fields and expansions to ask for."""
        if not self.metrics:
            return self._fields
        counted = {name: f"{self._fields[name]},public_metrics" for name in ("tweet.fields", "user.fields")}
        return {**self._fields, **counted}

    def request(
        self,
        method: str,
        route: str,
        params: Any = None,
        json: Any = None,
        user_auth: bool = False,  # noqa: ARG002
    ) -> requests.Response:
        """Send one request. Raises XRefused, XUnavailable; neither shows the token."""
        headers = {"User-Agent": self.user_agent}
        what = f"{method} {route}"
        try:
            answer: requests.Response = self.session.request(
                method,
                self._host + route,
                params=params,
                json=json,
                headers=headers,
                auth=self._authorized,
                timeout=(_CONNECT_SECONDS, _READ_SECONDS),
            )
        except requests.RequestException as error:
            raise XUnavailable(what, 0, f"{self._host}: {_why(error)}") from error
        if answer.ok:
            return _object(what, answer)
        raise refusal(what, answer.status_code, answer.headers, answer.content)

    def _authorized(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        """The request with the token: set so, a ~/.netrc that names the host does not replace it."""
        request.headers["Authorization"] = f"Bearer {self._token.reveal()}"
        return request

    def rules(self) -> list[dict[str, str]]:
        """The rules that the stream has: `id`, `value`, perhaps `tag`."""
        return list(self.get_rules().get("data") or [])

    def search(self, query: str, *, limit: int, **span: str | None) -> Document:
        """A page of recent search. `span`: start_time, end_time (RFC 3339), next_token."""
        params = {"query": query, "max_results": limit, "sort_order": "recency", **self.fields}
        params |= {name: value for name, value in span.items() if value is not None}
        page: Document = self.request("GET", "/2/tweets/search/recent", params=params).json()
        return page

    def counts(self, query: str, span: Mapping[str, str | None]) -> Document:
        """A page of the posts that match a query, by day. `span`: start_time, end_time (RFC 3339), next_token."""
        params = {"query": query, "granularity": "day"}
        params |= {name: value for name, value in span.items() if value is not None}
        page: Document = self.request("GET", "/2/tweets/counts/recent", params=params).json()
        return page

    def posts(self, ids: Sequence[str]) -> Document:
        """At most a hundred posts by their ids; `errors` names those that are not there."""
        page: Document = self.request("GET", "/2/tweets", params={"ids": ",".join(ids), **self.fields}).json()
        return page

    def users(self, handles: Sequence[str]) -> Document:
        """At most a hundred users by their handles."""
        page: Document = self.request("GET", "/2/users/by", params={"usernames": ",".join(handles)}).json()
        return page

    def timeline(self, user_id: str, limit: int, span: Mapping[str, str | None]) -> Document:
        """A page of a user's posts. `span`: start_time, end_time (RFC 3339), pagination_token."""
        params = {
            "max_results": limit,
            **self.fields,
            **{name: value for name, value in span.items() if value is not None},
        }
        page: Document = self.request("GET", f"/2/users/{user_id}/tweets", params=params).json()
        return page

    def connections(self) -> list[Document]:
        """The app's streams that X believes to be open."""
        answer = self.request("GET", "/2/connections", params={"status": "active"}).json()
        return list(answer.get("data") or [])

    def end_connections(self) -> None:
        """End every stream of the app."""
        self.request("DELETE", "/2/connections/all")


def _places_too() -> dict[str, str]:
    """The fields and expansions that bring the name of a post's place."""
    return {
        "tweet.fields": f"{TWEET_FIELDS},geo",
        "expansions": f"{FIELDS['expansions']},geo.place_id",
        "place.fields": "full_name",
    }


def _why(error: requests.RequestException) -> str:
    """What kept the request from being answered: the innermost reason, which quotes neither URL nor headers."""
    reason = getattr(error.args[0], "reason", None) if error.args else None
    return f"{type(error).__name__}: {str(reason).rpartition(': ')[2]}" if reason else type(error).__name__


def whole_seconds(since: datetime, until: datetime) -> dict[str, str]:
    """The parameters of a span that holds `[since, until)`: X cuts them to the second, and leaves `end_time` out."""
    end = until.replace(microsecond=0) + timedelta(seconds=bool(until.microsecond))
    return {
        "start_time": f"{since.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}",
        "end_time": f"{end.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}",
    }


def _object(what: str, answer: requests.Response) -> requests.Response:
    """The answer, if it is a JSON object: what stands between may answer for X with a page of its own."""
    try:
        if isinstance(answer.json(), dict):
            return answer
    except requests.JSONDecodeError:
        pass
    raise XUnavailable(what, answer.status_code, "the answer is no JSON object")


def refusal(what: str, status: int, headers: Mapping[str, str], body: bytes) -> XRefused | XUnavailable:
    """The error for an answer that is no success."""
    detail = body[:_TEXT].decode(errors="replace")
    if status == 429 or status >= 500 or status in (408, 420):
        reset = headers.get("x-rate-limit-reset", "")
        return XUnavailable(what, status, detail, float(reset) if reset.isdecimal() else None)
    return XRefused(what, status, detail)
