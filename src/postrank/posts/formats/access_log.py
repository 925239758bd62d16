"""Reading lines of logs by a regular expression with named groups, Apache's access log among them.

A line becomes a request (kind log) or a post. Groups have the names of the contract's fields: `posted_at` must be
there, and `host` of a request, `author_id` of a post; `post_id` may be (else the line's place in its file is its id).
In an access log the host is the client, and the request line gives method and path. As a post, its text is the request
line, its author the client or another group.
"""

import re
from codecs import BOM_UTF8
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from postrank.posts.events import Ignored, Log, Malformed, Post
from postrank.posts.times import instant, to_text

_QUOTED = r'"{}(?:[^"\\]|\\.)*{}"'
_ADDRESS = r"(?:\d{1,3}(?:\.\d{1,3}){3}|[0-9A-Fa-f]*:[0-9A-Fa-f:.]+)"
# Apache HTTP Server, "Log Files": common and combined log format. In front may stand a virtual host, behind any further
# fields (`%D`, nginx's `"$http_x_forwarded_for"`); a client may be a list of addresses, a user's name may hold blanks.
_PARTS = (
    ("a client", rf'(?:(?P<vhost>[^\s",]+) (?={_ADDRESS}[\s,]))?(?P<client>[^\s,"]+)(?:, ?[^\s,"]+)*'),
    ("an identity and a user", r" \S+ (?P<user>[^\[\]]*?)"),
    ("a time in brackets", r" \[(?P<posted_at>[^\]]+)\]"),
    ("a request in quotes", " " + _QUOTED.format("(?P<text>", ")")),
    ("a status of three digits", r" (?P<status>\d{3})"),
    ("a size", r" (?P<size>[^\s\"]+)"),
    (
        "nothing, or a referrer and an agent in quotes, and further fields",
        f"(?: {_QUOTED.format('(?P<referrer>', ')')} {_QUOTED.format('(?P<agent>', ')')})?"
        rf'(?: (?:{_QUOTED.format("", "")}|[^\s"]\S*))*\s*',
    ),
)
APACHE = "".join(part for _, part in _PARTS)
_PREFIXES = [re.compile("".join(part for _, part in _PARTS[:number])) for number in range(len(_PARTS) + 1)]
APACHE_TIME = "%d/%b/%Y:%H:%M:%S %z"
RFC_3339 = "rfc3339"
_REQUEST = re.compile(r"(?P<method>[A-Z][A-Z-]*) (?P<path>\S.*?)(?: HTTP/\d(?:\.\d)?)?")
_NO_MATCH = "the line does not match the pattern"


@dataclass(frozen=True, slots=True)
class LogFormat:
    """How the lines of a log become events. `author` names the group whose text is the author, or the host."""

    network: str
    pattern: re.Pattern[str]
    author: str = "author_id"
    time_format: str = RFC_3339  # or strptime's
    as_posts: bool = True  # else as requests

    def parse(self, line: bytes, place: str) -> Post | Log:
        """A line as an event; `place` is its id where the pattern finds none. Raises Malformed."""
        try:
            text = line.removeprefix(BOM_UTF8).decode().rstrip("\r")
        except UnicodeDecodeError as error:
            raise Malformed(f"not UTF-8 at byte {error.start}") from error
        match = self.pattern.fullmatch(text)
        if match is None:
            raise Malformed(
                _near_miss(text) if self.pattern.pattern == APACHE else "the line does not match the pattern"
            )
        groups = match.groupdict()
        author_id = groups.get(self.author)
        if not author_id:
            raise Malformed(f"the line has no {self.author}")
        if not self.as_posts:
            return self._request(groups, author_id, place)
        return Post(
            network=self.network,
            post_id=groups.get("post_id") or place,
            author_id=author_id,
            posted_at=self._instant(groups),
            author_handle=groups.get("author_handle") or author_id,
            text=groups.get("text"),
            lang=groups.get("lang"),
        )

    def outcome(self, line: bytes, place: str) -> tuple[Post | Log | Ignored | Malformed]:
        """The same, with what is wrong as a value, and a blank line passed over."""
        if not line.strip():
            return (Ignored("blank"),)
        try:
            return (self.parse(line, place),)
        except Malformed as malformed:
            return (malformed,)

    def _request(self, groups: Mapping[str, str | None], host: str, place: str) -> Log:
        method, path = _request_line(groups)
        return Log(
            network=self.network,
            post_id=groups.get("post_id") or place,
            posted_at=self._instant(groups),
            host=host,
            user_name=_text_of(groups, "user_name", "user"),
            method=method,
            path=path,
            status=_whole(_text_of(groups, "status")),
            bytes=_whole(_text_of(groups, "bytes", "size")),
            referrer=_text_of(groups, "referrer"),
            agent=_text_of(groups, "agent"),
        )

    def _instant(self, groups: Mapping[str, str | None]) -> str:
        text = groups.get("posted_at")
        if self.time_format == RFC_3339:
            return instant(text, "posted_at")
        try:
            moment = datetime.strptime(text or "", self.time_format)  # noqa: DTZ007 without an offset it is UTC, as documented
            return to_text((moment if moment.tzinfo else moment.replace(tzinfo=UTC)).astimezone(UTC))
        except (ValueError, OverflowError) as error:
            raise Malformed(f"posted_at is not in the form {self.time_format}") from error


def _request_line(groups: Mapping[str, str | None]) -> tuple[str | None, str | None]:
    """Method and path of a request; what is no request line (a port scan, TLS on a plain port) is all path."""
    text = groups.get("text")
    if text is None:
        return _text_of(groups, "method"), _text_of(groups, "path")
    match = _REQUEST.fullmatch(text)
    return (match["method"], match["path"]) if match else (None, text or None)


def _text_of(groups: Mapping[str, str | None], *names: str) -> str | None:
    """The text of the first of these groups that has one; a log writes "-" for none."""
    return next((text for name in names if (text := groups.get(name)) and text != "-"), None)


def _whole(text: str | None) -> int | None:
    return int(text) if text and len(text) <= 18 and text.isascii() and text.isdecimal() else None


def _near_miss(text: str) -> str:
    """Where a line leaves the common and combined log format, and what to do."""
    for number in range(len(_PARTS) - 1, -1, -1):
        if match := _PREFIXES[number].match(text):
            expected = _PARTS[number][0]
            shown = text[match.end() : match.end() + 40]
            at = f"at character {match.end()}, before {shown!r}," if shown else "at its end,"
            return (
                f"the line is not in the common or combined log format: {at} {expected} should follow. "
                'Describe other formats with `format = "regex"` and a pattern'
            )
    return _NO_MATCH
