"""The report of a run: one HTML file that stands alone, made from what the run exported."""

from datetime import datetime, timedelta
from importlib.resources import files

from postrank.documents import Document
from postrank.report import sections
from postrank.report.exports import Export, Exports
from postrank.report.markup import Markup, joined, tag

_VIEWPORT = "width=device-width, initial-scale=1"


def report_html(exports: Exports, export: Export) -> str:
    """The report as one HTML document. Sections whose source was not exported say so instead."""
    manifest = export.manifest
    ledgers = exports.ledgers(export)
    tags = exports.hashtags(export)
    posts = exports.posts(export)
    title = f"Top authors, {_span(manifest['interval'])}"
    style = Markup(files("postrank.report").joinpath("report.css").read_text(encoding="utf-8"))
    head = tag("head", _meta(charset="utf-8"), _meta(name="viewport", content=_VIEWPORT), tag("title", title))
    body = tag(
        "body",
        tag("header", tag("h1", title), tag("p", _origin(manifest))),
        tag(
            "main",
            sections.numbers(manifest),
            sections.top_authors(exports, export, posts),
            sections.posts_over_time(exports, export),
            sections.authors_by_hour(exports, export),
            sections.posts_by_type(posts),
            sections.hashtags(tags),
            sections.hashtags_by_day(tags),
            sections.hops(manifest, ledgers),
            sections.gaps(ledgers),
            sections.provenance(manifest),
        ),
    )
    return "<!doctype html>\n" + tag("html", joined(head, tag("style", style)), body, lang="en") + "\n"


def _span(interval: Document) -> str:
    start, end = (datetime.fromisoformat(interval[name]) for name in ("start", "end"))
    if end - start == timedelta(days=1) and start.hour == start.minute == 0:
        return f"{start:%d %B %Y}"
    last = f"{end:%H:%M}" if end.date() == start.date() else f"{end:%d %B %Y, %H:%M}"
    return f"{start:%d %B %Y, %H:%M} to {last} UTC"


def _origin(manifest: Document) -> str:
    networks = ", ".join(manifest.get("networks") or ()) or "all networks"
    reposts = "with" if manifest.get("include_reposts") else "without"
    return (
        f"Run {manifest['run_id']} of {manifest['dag_id']}, exported {manifest['exported_at']}: {networks}, "
        f"{reposts} reposts, the first {manifest['top']} of each window."
    )


def _meta(**attributes: str) -> Markup:
    """A void element: it has no end tag."""
    return Markup(tag("meta", **attributes).removesuffix("</meta>"))
