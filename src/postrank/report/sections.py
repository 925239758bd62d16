"""The sections of a report, each from one part of an export."""

from collections import Counter
from collections.abc import Sequence
from datetime import datetime, timedelta

import pyarrow as pa
import pyarrow.compute as pc

from postrank.documents import JsonObject
from postrank.report.charts import course_chart, heat_map, shortened
from postrank.report.exports import Export, Exports
from postrank.report.markup import Markup, joined, table, tag, wide
from postrank.report.ties import rank_text, tied_ranks
from postrank.report.windows import STEPS, course, of_window, total_course, windows
from postrank.report.wording import moment, moment_of, size

TOP = 20
_BY_MINUTE = timedelta(hours=26)
_BY_HOUR = timedelta(days=60)  # what is longer is drawn in coarser steps
_TYPES = {"original": "Originals", "reply": "Replies", "repost": "Reposts", "quote": "Quotes"}
_EACH_HOUR = timedelta(hours=49)  # what is longer is folded into the hours of a day
_NUMBERS = (
    ("posts", "posts ranked"),
    ("duplicates", "duplicates removed"),
    ("tombstones", "deleted posts removed"),
    ("edit_lines", "edits applied"),
)


_STEPS = (
    ("post_lines", "post lines"),
    ("edit_lines", "edit lines"),
    ("duplicates", "duplicates removed"),
    ("tombstones", "removed by tombstones"),
    ("posts", "posts counted"),
)


def numbers(manifest: JsonObject) -> Markup:
    """What the manifest counts, at a glance."""
    figures = [(text, f"{manifest[name]:,}") for name, text in _NUMBERS if name in manifest]
    if "scanned_bytes" in manifest:
        figures.append(("scanned by Athena", size(manifest["scanned_bytes"])))
    return tag("dl", *(tag("div", tag("dt", text), tag("dd", value)) for text, value in figures), class_="numbers")


def top_authors(exports: Exports, export: Export, posts: JsonObject | None) -> Markup:
    """The best authors of the whole interval, or of the newest window of the coarsest granularity exported; `posts`
    says how long their texts are in the interval.
    """
    if not export.granularities:
        return _section("Top authors", tag("p", "No ranked authors.", class_="quiet"))
    coarsest = export.granularities[-1]
    rows = _newest(exports.table(export, coarsest)).slice(0, TOP).to_pylist()
    which = "" if coarsest == "all" else f" of the {coarsest} from {moment(rows[0]['window_start'])} UTC"
    ties = tied_ranks(_newest(exports.table(export, coarsest)), export.manifest.get("order") or "posts")
    most = max(row["share"] for row in rows)
    lengths = {
        (author["network"], author["author_id"]): author["mean_length"] for author in (posts or {}).get("authors", ())
    }
    body = [
        [
            rank_text(row, ties),
            _author(row),
            f"{row['posts']:,}",
            joined(_bar(row["share"] / most), f"{row['share']:.2%}"),
            str(row["peak_60s"] or ""),
            *([_length(lengths.get((row["network"], row["author_id"])))] if lengths else []),
        ]
        for row in rows
    ]
    heads = ["Rank", "Author", "Posts", "Share of all posts", "Peak, posts in 60 s"]
    heads += ["Mean length, characters"] if lengths else []
    return _section(f"Top authors{which}", table(heads, body, frozenset({0, 2, 4, 5})))


def posts_over_time(exports: Exports, export: Export) -> Markup:
    """Everybody's posts a minute; over longer intervals the mean of an hour or a day."""
    whole = windows(exports.table(export, export.granularities[-1])) if export.granularities else []
    length = whole[-1].end - whole[0].start if whole else timedelta()
    granularity = _exported(export, "minute" if length <= _BY_MINUTE else "hour" if length <= _BY_HOUR else "day")
    if granularity is None:
        return _section("Posts per minute", _absent("No ranking per minute, hour or day was exported."))
    ranked = windows(exports.table(export, granularity))
    step = STEPS[granularity]
    first = ranked[0].start
    totals = total_course(ranked, granularity, first, (ranked[-1].end - first) // step)
    busiest = max(range(len(totals)), key=totals.__getitem__)
    means = [total / (step / timedelta(minutes=1)) for total in totals]
    note = (
        f"{'Each minute' if granularity == 'minute' else f'Mean of each {granularity}'}, in UTC. The busiest "
        f"{granularity} starts at {moment(first + busiest * step)}, with {totals[busiest]:,} posts."
    )
    chart = course_chart(means, first, step, "Posts per minute over time")
    return _section("Posts per minute", tag("p", note, class_="quiet"), wide(chart))


def authors_by_hour(exports: Exports, export: Export) -> Markup:
    """When the top authors posted: by hour, or folded into the hours of a day."""
    title = "When the top authors posted"
    if "hour" not in export.granularities:
        return _section(title, _absent("No ranking per hour was exported."))
    table_ = exports.table(export, export.granularities[-1])
    authors = _newest(table_).slice(0, TOP)
    start, end = _hours(export)
    courses = course(exports.table(export, "hour"), authors, "hour", start, (end - start) // STEPS["hour"])
    folded = end - start > _EACH_HOUR
    cells = []
    for series in courses.series:
        sums: Counter[int] = Counter()
        for step, posts in series:
            sums[(start.hour + step) % 24 if folded else step] += posts
        cells.append([sums[at] for at in range(24 if folded else courses.steps)])
    columns = [f"{(start.hour * (not folded) + at) % 24:02d}" for at in range(24 if folded else courses.steps)]
    note = (
        f"Posts by {'hour of the day' if folded else 'hour'}, UTC; hours in which an author was not ranked are empty."
    )
    labels = [_name(row) for row in authors.to_pylist()]
    return _section(title, tag("p", note, class_="quiet"), wide(heat_map(labels, columns, cells, title)))


def posts_by_type(posts: JsonObject | None) -> Markup:
    """How many posts of each type each day has, and how long they are on average, in characters."""
    title = "Posts by day and type"
    if posts is None:
        return _section(title, _absent("The posts by type were not exported with this run."))
    days: dict[str, dict[str, JsonObject]] = {}
    for row in posts["types"]:
        days.setdefault(row["posted_date"], {})[row["type"]] = row
    body: list[list[str | Markup]] = []
    for day, types in days.items():
        measured = [figures for figures in types.values() if figures["mean_length"] is not None]
        characters = sum(figures["mean_length"] * figures["posts"] for figures in measured)
        mean = characters / sum(figures["posts"] for figures in measured) if measured else None
        counts = [f"{types[figures]['posts']:,}" if figures in types else "" for figures in _TYPES]
        body.append([day, *counts, f"{sum(figures['posts'] for figures in types.values()):,}", _length(mean)])
    if not body:
        return _section(title, tag("p", "No posts in this interval.", class_="quiet"))
    heads = ["Day", *_TYPES.values(), "All", "Mean length, characters"]
    return _section(title, table(heads, body, frozenset(range(1, len(heads)))))


def cascades(posts: JsonObject | None) -> Markup:
    """The posts with the most reposts and quotes in the interval, with the shape and speed of their trees."""
    title = "Largest cascades"
    if posts is None or "cascades" not in posts:
        return _section(title, _absent("The cascades were not exported with this run."))
    if not posts["cascades"]:
        return _section(title, tag("p", "No reposts or quotes in this interval.", class_="quiet"))
    body: list[list[str | Markup]] = [
        [
            shortened(row["root_id"], 40),
            shortened(row["author_handle"] or row["author_id"] or "not collected", 30),
            row["network"],
            *(f"{row[name]:,}" for name in ("reposts", "quotes", "depth", "width")),
            *(_lasted(row[name]) for name in ("half_seconds", "last_seconds")),
        ]
        for row in posts["cascades"][:TOP]
    ]
    heads = ["Post", "Author", "Network", "Reposts", "Quotes", "Depth", "Width", "Half within", "Last after"]
    return _section(title, table(heads, body, frozenset(range(3, len(heads)))))


def _lasted(seconds: int | None) -> str:
    """A length of time as `1:02:03`."""
    return "" if seconds is None else str(timedelta(seconds=seconds))


def hashtags(document: JsonObject | None) -> Markup:
    """The hashtags of most posts in the interval; a post counts once for each of its own."""
    if document is None:
        return _section("Hashtags", _absent("The hashtags were not exported with this run."))
    if not document["hashtags"]:
        return _section("Hashtags", tag("p", "No post in this interval has a hashtag.", class_="quiet"))
    most = document["hashtags"][0]["posts"]
    body: list[list[str | Markup]] = [
        [
            _hashtag(row),
            joined(_bar(row["posts"] / most), f"{row['posts']:,}"),
            f"{row['authors']:,}",
            _length(row.get("mean_length")),
        ]
        for row in document["hashtags"][:TOP]
    ]
    return _section(
        "Hashtags", table(["Hashtag", "Posts", "Authors", "Mean length, characters"], body, frozenset({2, 3}))
    )


def hashtags_by_day(document: JsonObject | None) -> Markup:
    """The first hashtags of each day, where there is more than one day; else nothing."""
    days: dict[str, list[Markup]] = {}
    for row in (document or {}).get("days", ()):
        days.setdefault(row["posted_date"], []).append(joined(_hashtag(row), f" {row['posts']:,}"))
    if len(days) < 2:
        return Markup("")
    body: list[list[str | Markup]] = [[day, joined(*_between(tags, ", "))] for day, tags in days.items()]
    return _section("Hashtags by day", table(["Day", "Most posts first"], body))


def hops(manifest: JsonObject, ledgers: JsonObject | None) -> Markup:
    """How many lines and posts each step of the run took, and what became of them: a row a step, a column a count."""
    title = "From source to ranking"
    rows: list[tuple[str, JsonObject]] = [
        (f"{hop['hop']}, {hop['collector']}", {name: value for name, value in hop.items() if isinstance(value, int)})
        for hop in (ledgers or {}).get("hop_counts", ())
    ]
    arrived = manifest.get("arrived_lines") or {}
    rows.append(("arrived in this run", {f"{kind} lines": count for kind, count in arrived.items()}))
    rows.append(("ranked days", {text: manifest[name] for name, text in _STEPS if name in manifest}))
    filled = [(step, counts) for step, counts in rows if counts]
    if not filled:
        return _section(title, _absent("The manifest holds no counts."))
    columns = list(dict.fromkeys(name for _, counts in filled for name in counts))
    body: list[list[str | Markup]] = [
        [step, *(f"{counts[name]:,}" if name in counts else "" for name in columns)] for step, counts in filled
    ]
    heads = ["Step", *(name.replace("_", " ") for name in columns)]
    return _section(title, table(heads, body, frozenset(range(1, len(heads)))))


def gaps(ledgers: JsonObject | None) -> Markup:
    """The spans of time in which posts may be missing, from the gap ledger."""
    if ledgers is None:
        return _section("Gaps", _absent("The gap ledger was not exported with this run."))
    gap_rows = ledgers["gaps"]
    if not gap_rows:
        return _section("Gaps", tag("p", "No known gaps in this interval."))
    heads = ["From", "To", "Source", "Why", "Recovered by"]
    rows: list[list[str | Markup]] = [
        [
            moment_of(gap["gap_from"]),
            moment_of(gap["gap_to"]),
            str(gap.get("source") or ""),
            str(gap.get("reason") or ""),
            str(gap.get("recovered_by") or "not recovered"),
        ]
        for gap in gap_rows
    ]
    return _section("Gaps", table(heads, rows))


def provenance(manifest: JsonObject) -> Markup:
    """The files of the export, by which this report can be checked. Links work where the report is in its export."""
    prefix = f"rankings/run={manifest['run']}/"
    rows: list[list[str | Markup]] = []
    digests: list[list[str | Markup]] = []
    for file in manifest["files"]:
        name = str(file["key"]).removeprefix(prefix)
        rows.append([tag("a", name, href=name), f"{file['rows']:,}", size(file["bytes"])])
        digests.append([name, tag("code", str(file["sha256"]))])
    checksums = tag("details", tag("summary", "SHA-256 checksums"), table(["File", "SHA-256"], digests))
    return _section("Files", table(["File", "Rows", "Size"], rows, frozenset({1, 2})), checksums)


def _author(row: JsonObject) -> Markup:
    """Name, handle and network; each in a direction of its own, since scripts mix."""
    second = row["author_handle"] if row["author_name"] else None
    handle = [" ", tag("bdi", f"@{second}", class_="quiet")] if second else []
    return joined(tag("bdi", shortened(_name(row), 60)), *handle, " ", _badge(row["network"]))


def _badge(network: str) -> Markup:
    return tag("span", network, class_=f"badge {network.partition(':')[0]}")


def _hashtag(row: JsonObject) -> Markup:
    return tag("bdi", shortened(f"#{row['hashtag']}", 60))


def _length(characters: float | None) -> str:
    return "" if characters is None else f"{characters:,.0f}"


def _between(parts: Sequence[Markup], separator: str) -> list[str | Markup]:
    return [item for part in parts for item in (separator, part)][1:]


def _name(row: JsonObject) -> str:
    return str(row["author_name"] or row["author_handle"] or row["author_id"])


def _newest(ranking: pa.Table) -> pa.Table:
    """The authors of the newest window, best first."""
    return of_window(ranking, pc.max(ranking["window_start"]).as_py())


def _interval(export: Export) -> tuple[datetime, datetime]:
    interval = export.manifest["interval"]
    return datetime.fromisoformat(interval["start"]), datetime.fromisoformat(interval["end"])


def _hours(export: Export) -> tuple[datetime, datetime]:
    """The interval, widened to whole hours."""
    start, end = _interval(export)
    whole = timedelta(hours=1)
    first = start.replace(minute=0, second=0, microsecond=0)
    return first, first - ((first - end) // whole) * whole


def _exported(export: Export, granularity: str) -> str | None:
    """The finest granularity exported that is no finer than wanted; `all` has no course."""
    order = list(STEPS)
    return next(
        (candidate for candidate in order[order.index(granularity) :] if candidate in export.granularities), None
    )


def _section(title: str, *parts: Markup) -> Markup:
    return tag("section", tag("h2", title), *parts)


def _absent(sentence: str) -> Markup:
    return tag("p", sentence, class_="quiet")


def _bar(part: float) -> Markup:
    return tag("span", class_="bar", style=f"--part: {part:.2%}")
