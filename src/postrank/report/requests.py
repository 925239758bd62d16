"""The report's section on access logs: which hosts and paths had most requests, and how many failed."""

from collections.abc import Iterable

from postrank.documents import JsonObject
from postrank.report.charts import shortened
from postrank.report.markup import Markup, joined, table, tag

_TOP = 20
_TITLE = "Requests"
_HEADS = {"host": "Host", "path": "Path"}
_OTHERS = {"host": "Paths", "path": "Hosts"}


def section(document: JsonObject | None) -> Markup:
    """Hosts and paths of the interval, the busiest first; nothing where no access log had arrived."""
    if document is None or not document["hosts"]:
        return Markup("")
    tables = (_ranking(key, document[f"{key}s"]) for key in _HEADS)
    return tag("section", tag("h2", _TITLE), *tables)


def _ranking(key: str, rows: Iterable[JsonObject]) -> Markup:
    """The table of the whole interval; rows of single days stay in the file."""
    interval = [row for row in rows if row["posted_date"] is None][:_TOP]
    body: list[list[str | Markup]] = [
        [
            f"{row['rank']:,}",
            tag("bdi", shortened(row[key] or "not logged", 60)),
            *(f"{row[name]:,}" for name in ("requests", "client_errors", "server_errors")),
            f"{row['paths' if key == 'host' else 'hosts']:,}",
            "" if row["bytes"] is None else f"{row['bytes']:,}",
        ]
        for row in interval
    ]
    heads = ["Rank", _HEADS[key], "Requests", "Status 4xx", "Status 5xx", _OTHERS[key], "Bytes"]
    return joined(tag("h3", f"By {key}"), table(heads, body, frozenset({0, *range(2, len(heads))})))
