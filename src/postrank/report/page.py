"""The report of a run: one HTML file that stands alone, made from what the run exported."""

from datetime import datetime
from importlib.resources import files

from postrank.documents import Document
from postrank.report import requests, sections
from postrank.report.exports import Export, Exports
from postrank.report.markup import Markup, joined, tag
from postrank.report.wording import moment_of, span

_ORDERS = {"posts": "posts", "peak_60s": "peak in 60 s"}
_METRICS = {
    "reposts_made": "reposts made",
    "reposts_received": "reposts received",
    "likes_received": "likes received",
    "engagement": "engagement",
}
_VIEWPORT = "width=device-width, initial-scale=1"


def report_html(exports: Exports, export: Export) -> str:
    """The report as one HTML document. Sections whose source was not exported say so instead."""
    manifest = export.manifest
    ledgers = exports.ledgers(export)
    tags = exports.hashtags(export)
    posts = exports.posts(export)
    start, end = (datetime.fromisoformat(manifest["interval"][name]) for name in ("start", "end"))
    title = f"Top authors, {span(start, end)}"
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
            sections.cascades(posts),
            sections.hashtags(tags),
            sections.hashtags_by_day(tags),
            requests.section(exports.requests(export)),
            sections.hops(manifest, ledgers),
            sections.gaps(ledgers),
            sections.provenance(manifest),
        ),
    )
    return "<!doctype html>\n" + tag("html", joined(head, tag("style", style)), body, lang="en") + "\n"


def _origin(manifest: Document) -> str:
    networks = f"only {', '.join(manifest['networks'])}" if manifest.get("networks") else "all networks"
    reposts = "with" if manifest.get("include_reposts") else "without"
    order = _ORDERS.get(manifest.get("order", "posts"), manifest.get("order"))
    counted = _METRICS.get(manifest.get("metric") or "posts")
    metric = f"counted are {counted}{_weights(manifest)}, " if counted else ""
    tagged = f"posts tagged {manifest['tag']}, " if manifest.get("tag") else ""
    return (
        f"Run {manifest['run_id']} of {manifest['dag_id']}, exported {moment_of(manifest['exported_at'])} UTC: "
        f"{networks}, {metric}{tagged}{reposts} reposts, ordered by {order}, "
        f"the first {manifest['top']} of each window. All times are UTC."
    )


def _weights(manifest: Document) -> str:
    """The weights of the metric engagement, which alone has any to choose."""
    if manifest.get("metric") != "engagement":
        return ""
    weights = ((_METRICS.get(name, name), weight) for name, weight in manifest["weights"].items() if weight)
    return f" ({', '.join(f'{name} × {weight}' for name, weight in weights)})"


def _meta(**attributes: str) -> Markup:
    """A void element: it has no end tag."""
    return Markup(tag("meta", **attributes).removesuffix("</meta>"))
