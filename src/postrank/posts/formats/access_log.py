"""Reading lines of logs as posts: by a regular expression with named groups, Apache's access log among them.

Groups have the names of the contract's fields: `author_id` and `posted_at` must be there, `post_id` may be (else the
line's place in its file is its id). An access log's author is the client, its text the request; another group can be
named as author.
"""

import re
from codecs import BOM_UTF8
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from postrank.posts.events import Ignored, Malformed, Post
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
_NO_MATCH = "the line does not match the pattern"


@dataclass(frozen=True, slots=True)
class LogFormat:
    """How the lines of a log become posts. `author` names the group whose text is the author."""

    network: str
    pattern: re.Pattern[str]
    author: str = "author_id"
    time_format: str = RFC_3339  # or strptime's

    def parse(self, line: bytes, place: str) -> Post:
        """A line as a post; `place` is its id where the pattern finds none. Raises Malformed."""
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
        return Post(
            network=self.network,
            post_id=groups.get("post_id") or place,
            author_id=author_id,
            posted_at=self._instant(groups),
            author_handle=groups.get("author_handle") or author_id,
            text=groups.get("text"),
            lang=groups.get("lang"),
        )

    def outcome(self, line: bytes, place: str) -> tuple[Post | Ignored | Malformed]:
        """The same, with what is wrong as a value, and a blank line passed over."""
        if not line.strip():
            return (Ignored("blank"),)
        try:
            return (self.parse(line, place),)
        except Malformed as malformed:
            return (malformed,)

    def _instant(self, groups: Mapping[str, str | None]) -> str:
        text = groups.get("posted_at")
        if self.time_format == RFC_3339:
            return instant(text, "posted_at")
        try:
            moment = datetime.strptime(text or "", self.time_format)  # noqa: DTZ007 without an offset it is UTC, as documented
            return to_text((moment if moment.tzinfo else moment.replace(tzinfo=UTC)).astimezone(UTC))
        except (ValueError, OverflowError) as error:
            raise Malformed(f"posted_at is not in the form {self.time_format}") from error


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
