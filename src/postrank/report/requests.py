"""The report's section on access logs: which hosts and paths had most requests, and how many failed."""

from postrank.documents import JsonObject
from postrank.report.charts import shortened
from postrank.report.markup import Markup, joined, table, tag

_TOP = 20
_TITLE = "Requests"
_HEADS = {"host": ("Host", "Paths"), "path": ("Path", "Hosts")}


def section(document: JsonObject | None) -> Markup:
    """Hosts and paths of the interval, the busiest first; nothing where no access log had arrived."""
    if document is None or not document["busiest"]:
        return Markup("")
    return tag("section", tag("h2", _TITLE), *(_ranking(kind, document) for kind in _HEADS))


def _ranking(kind: str, document: JsonObject) -> Markup:
    """The table of the whole interval; rows of single days stay in the file."""
    rows = [row for row in document["busiest"] if row["kind"] == kind and row["posted_date"] is None]
    body: list[list[str | Markup]] = [
        [
            f"{row['rank']:,}",
            tag("bdi", shortened(row["name"] or "not logged", 60)),
            *(f"{row[figure]:,}" for figure in ("requests", "client_errors", "server_errors", "others")),
            "" if row["bytes"] is None else f"{row['bytes']:,}",
        ]
        for row in rows[:_TOP]
    ]
    name, others = _HEADS[kind]
    heads = ["Rank", name, "Requests", "Status 4xx", "Status 5xx", others, "Bytes"]
    return joined(tag("h3", f"By {kind}"), table(heads, body, frozenset({0, *range(2, len(heads))})))
