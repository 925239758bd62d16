"""The ranking rules in plain Python: what SQL has to equal, written as directly as the rules are."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

from tests.support.lake.ranked_lake import Lake

LENGTHS = {"minute": timedelta(minutes=1), "hour": timedelta(hours=1), "day": timedelta(days=1)}
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_SLIDING = timedelta(seconds=60)


class Post(NamedTuple):
    network: str
    author: str
    at: datetime


def surviving(events: Iterable[Mapping[str, Any]]) -> list[Post]:
    """The posts that count: the newest version of each, without those that a tombstone names."""
    return [
        Post(event["network"], event["author_id"], _moment(event["posted_at"]))
        for event in surviving_events(events)
        if event["kind"] != "like"
    ]


def weighed(events: Iterable[Mapping[str, Any]], weights: Mapping[str, int]) -> list[Post]:
    """What a metric counts, each event as often as it weighs."""
    events = list(events)
    deletes = [event for event in events if event["kind"] == "delete"]
    result = []
    for event in surviving_events(events):
        at = _moment(event["posted_at"])
        own = Post(event["network"], event["author_id"], at)
        subject = event.get("like_of") or event.get("repost_of")
        if event["kind"] != "like":
            result += [own] * weights["posts"]
        if event.get("repost_of"):
            result += [own] * weights["reposts_made"]
        author = event.get("like_of_author") or event.get("repost_of_author")
        if subject and not any(_withdraws(delete, event, subject, author) for delete in deletes):
            metric = "likes_received" if event["kind"] == "like" else "reposts_received"
            result += [Post(event["network"], author, at)] * weights[metric]
    return result


def _withdraws(delete: Mapping[str, Any], event: Mapping[str, Any], subject: str, author: str) -> bool:
    """Whether a tombstone takes out the post that a like or repost is of, or its author before that moment."""
    if delete["network"] != event["network"]:
        return False
    if delete["post_id"] == f"author:{author}":
        return _moment(event["posted_at"]) <= _moment(delete.get("posted_at") or delete["received_at"])
    return delete["post_id"] == subject


def surviving_events(events: Iterable[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """The newest version of each post, repost and like that no tombstone names."""
    newest: dict[tuple[str, str], Mapping[str, Any]] = {}
    gone, left = set(), []
    versions = defaultdict(list)
    for event in events:
        key = (event["network"], event["post_id"])
        versions[key].append(event)
        if event["kind"] == "delete":
            gone.add(key)
            left += [event] if event["post_id"] == f"author:{event.get('author_id')}" else []
        elif key not in newest or _precedence(event) > _precedence(newest[key]):
            newest[key] = event
    gone |= {key for key in newest for end in left if any(_ended(one, end) for one in versions[key])}
    return [event for key, event in newest.items() if key not in gone]


def rankings(posts: list[Post]) -> dict[tuple[str, str], list[tuple[Any, ...]]]:
    """Per (granularity, window start): (rank, network, author, posts, previous rank, peak in 60 s, share), by rank."""
    ranks = {
        (granularity, start): _ranked(posts, start, length)
        for granularity, length in LENGTHS.items()
        for start in {_start(post.at, length) for post in posts}
    }
    return {
        (granularity, start.strftime("%Y-%m-%d %H:%M")): [
            (
                *row[:4],
                _rank_in(ranks.get((granularity, start - LENGTHS[granularity]), []), row),
                row[4],
                _share(row, rows),
            )
            for row in rows
        ]
        for (granularity, start), rows in ranks.items()
    }


def shown(lake: Lake, scope: str = "*") -> dict[tuple[str, str], list[tuple[Any, ...]]]:
    """What everybody reads in the lake, in the form of `rankings`."""
    rows = lake.rows(
        "select granularity, date_format(window_start, '%Y-%m-%d %H:%i') as window_start, rank, network, author_id,"
        " posts, previous_rank, peak_60s, share from author_ranking where granularity <> 'all'"
        f" and network_scope = '{scope}'"
        " order by granularity, window_start, rank"
    )
    ranked: dict[tuple[str, str], list[tuple[Any, ...]]] = {}
    for row in rows:
        earlier = int(row["previous_rank"]) if row["previous_rank"] else None
        counted = int(row["posts"]), earlier, int(row["peak_60s"]), float(row["share"])
        line = (int(str(row["rank"])), row["network"], row["author_id"], *counted)
        ranked.setdefault((row["granularity"], row["window_start"]), []).append(line)
    return ranked


def _ranked(posts: list[Post], start: datetime, length: timedelta) -> list[tuple[int, str, str, int, int]]:
    counts: dict[tuple[str, str], int] = defaultdict(int)
    for post in posts:
        if start <= post.at < start + length:
            counts[post.network, post.author] += 1
    order = sorted(counts, key=lambda author: (-counts[author], author))
    ranked = enumerate(order, 1)
    return [(n, *author, counts[author], _peak(posts, author, start, length)) for n, author in ranked]


def _peak(posts: list[Post], author: tuple[str, str], start: datetime, length: timedelta) -> int:
    """The most posts in any (t - 60 s, t] with t in the window: it changes only at the start and at posts."""
    times = [post.at for post in posts if (post.network, post.author) == author]
    ends = [start, *(at for at in times if start <= at < start + length)]
    return max(sum(end - _SLIDING < at <= end for at in times) for end in ends)


def _share(row: tuple[int, str, str, int, int], rows: list[tuple[int, str, str, int, int]]) -> float:
    return round(row[3] / sum(other[3] for other in rows), 6)


def _rank_in(rows: list[tuple[int, str, str, int, int]], wanted: tuple[Any, ...]) -> int | None:
    return next((row[0] for row in rows if row[1:3] == wanted[1:3]), None)


def _ended(version: Mapping[str, Any], end: Mapping[str, Any]) -> bool:
    """Whether a version of a post is of an author who left, and from before that."""
    same = version["kind"] != "delete" and all(version[key] == end[key] for key in ("network", "author_id"))
    return same and _moment(version["posted_at"]) <= _moment(end.get("posted_at") or end["received_at"])


def _precedence(event: Mapping[str, Any]) -> tuple[bool, str, str]:
    return event["kind"] == "edit", event["received_at"], event["posted_at"]


def _start(moment: datetime, length: timedelta) -> datetime:
    return _EPOCH + (moment - _EPOCH) // length * length


def _moment(text: str) -> datetime:
    return datetime.fromisoformat(text)
