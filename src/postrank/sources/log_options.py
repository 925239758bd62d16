"""The options that describe lines of a log, for every source that reads them."""

import re
from datetime import UTC, datetime

from postrank.options import Options
from postrank.posts.formats.access_log import APACHE, APACHE_TIME, RFC_3339, LogFormat


def log_format(options: Options) -> LogFormat | None:
    """`format` = "json" (None), "apache" or "regex"; for logs `rows` = "logs" or "posts", `network`, `author` (the
    group that is the author, or the host), `pattern` and `time_format` (strptime's, or "rfc3339").

    Access logs are rows of kind log unless `author` is set; lines of a pattern are posts unless it has a group `host`
    and none that is the author.
    """
    kind = options.text("format", "json", among=("json", "apache", "regex"))
    return None if kind == "json" else _log_format(kind, options)


def _log_format(kind: str, options: Options) -> LogFormat:
    pattern = _pattern(APACHE if kind == "apache" else options.text("pattern"), options)
    as_posts = options.text("rows", _usual_rows(kind, pattern, options), among=("logs", "posts")) == "posts"
    author = options.text("author", "client" if kind == "apache" else "author_id" if as_posts else "host")
    for key, group in (("author", author), ("pattern", "posted_at")):
        if pattern.pattern and group not in pattern.groupindex:
            names = ", ".join(pattern.groupindex) or "none"
            options.wrong(key, f"wants a group named {group}: (?P<{group}>...); the pattern has {names}")
    return LogFormat(
        network=options.text("network", "logs"),
        pattern=pattern,
        author=author,
        as_posts=as_posts,
        time_format=APACHE_TIME if kind == "apache" else _time_format(options),
    )


def _usual_rows(kind: str, pattern: "re.Pattern[str]", options: Options) -> str:
    """What lines become where `rows` does not say."""
    if options.optional("author"):
        return "posts"
    hosts = kind == "apache" or ("host" in pattern.groupindex and "author_id" not in pattern.groupindex)
    return "logs" if hosts else "posts"


def _pattern(text: str, options: Options) -> "re.Pattern[str]":
    try:
        return re.compile(text)
    except re.error as error:
        options.wrong("pattern", f"is no regular expression: {error}")
        return re.compile("")


def _time_format(options: Options) -> str:
    form = options.text("time_format", RFC_3339)
    try:
        if form != RFC_3339:
            datetime.strptime(datetime.now(UTC).strftime(form), form)  # noqa: DTZ007 only whether it can be read
    except ValueError as error:
        options.wrong("time_format", f"must be rfc3339, or a form of strptime such as {APACHE_TIME}: {error}")
    return form
