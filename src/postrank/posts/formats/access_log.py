"""Reading lines of logs as posts: by a regular expression with named groups, Apache's access log among them.

Groups have the names of the contract's fields: `author_id` and `posted_at` must be there, `post_id` may be (else the
line's place in its file is its id). An access log's author is the client, its text the request; another group can be
named as author.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from postrank.posts.events import Ignored, Malformed, Post
from postrank.posts.times import instant, to_text

# Apache HTTP Server, "Log Files": common and combined log format.
APACHE = (
    r'(?P<client>\S+) \S+ (?P<user>\S+) \[(?P<posted_at>[^\]]+)\] "(?P<text>(?:[^"\\]|\\.)*)"'
    r" (?P<status>\d{3}) (?P<size>\S+)"
    r'(?: "(?P<referrer>(?:[^"\\]|\\.)*)" "(?P<agent>(?:[^"\\]|\\.)*)")?'
)
APACHE_TIME = "%d/%b/%Y:%H:%M:%S %z"
RFC_3339 = "rfc3339"


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
            found = self.pattern.fullmatch(line.decode().rstrip("\r"))
        except UnicodeDecodeError as error:
            raise Malformed(f"not UTF-8 at byte {error.start}") from error
        if found is None:
            raise Malformed("the line does not match the pattern")
        groups = found.groupdict()
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
