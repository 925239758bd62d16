"""The params of DAGs: what their forms show, and the schemas that triggers are validated against."""

from collections.abc import Mapping

from airflow.sdk import Param

from postrank.collectors.labels import LONGEST
from postrank.collectors.labels import PATTERN as NAME_PATTERN
from postrank.gaps.request import FILE_PATTERN, SOURCES
from postrank.ranking.request import (
    ENGAGEMENT,
    EVENTS,
    GRANULARITIES,
    METRICS,
    NETWORK_PATTERN,
    ORDERS,
    TAG_LIMIT,
    TIME_PATTERN,
    TOP_LIMIT,
    WEIGHT_LIMIT,
)


def _moment(title: str, description: str) -> Param:
    return Param(
        None,
        type=["null", "string"],
        format="date-time",
        pattern=TIME_PATTERN,
        title=title,
        description=description,
        examples=["2026-11-24T05:00:00Z"],
    )


def _bound(title: str, which: str) -> Param:
    words = f"{which} of the interval in event time (when posts were published), a whole minute, UTC. "
    return _moment(title, words + "Empty: the interval of the newly arrived posts.")


def _weights_of(weights: Mapping[str, int]) -> str:
    return ", ".join(f"{name} {weight}" for name, weight in weights.items() if weight)


RANKING_PARAMS = {
    "interval_start": _bound("From", "Start"),
    "interval_end": _bound("To", "End (not included)"),
    "granularities": Param(
        list(GRANULARITIES),
        type="array",
        items={"type": "string", "enum": list(GRANULARITIES)},
        examples=list(GRANULARITIES),
        minItems=1,
        uniqueItems=True,
        title="Windows",
        description="Lengths of the ranked windows; all: the whole interval as one window.",
    ),
    "networks": Param(
        [],
        type="array",
        items={"type": "string", "pattern": NETWORK_PATTERN},
        maxItems=100,
        uniqueItems=True,
        examples=["x", "bluesky", "mastodon:mastodon.social"],
        title="Networks",
        description="Rank only the authors of these networks, together. Empty: all networks.",
    ),
    "top": Param(
        100,
        type="integer",
        minimum=1,
        maximum=TOP_LIMIT,
        title="Authors per window",
        description="Number of authors in each window.",
        examples=[20, 100],
    ),
    "include_reposts": Param(
        True,
        type="boolean",
        title="Count reposts",
        description="Whether a repost of another author's post counts as a post.",
        examples=[True, False],
    ),
    "order": Param(
        "posts",
        type="string",
        enum=list(ORDERS),
        title="Rank by",
        description="posts: most posts in the window. peak_60s: most posts in any 60 seconds of the window.",
        examples=list(ORDERS),
    ),
    "metric": Param(
        "posts",
        type="string",
        enum=list(METRICS),
        title="What counts",
        description="posts: the posts of an author. reposts_made, reposts_received, likes_received: counted at the "
        "moment of the repost or like. engagement: all of these, weighted. Likes count where they are collected.",
        examples=list(METRICS),
    ),
    "weights": Param(
        None,
        type=["null", "object"],
        properties={name: {"type": "integer", "minimum": 0, "maximum": WEIGHT_LIMIT} for name in EVENTS},
        additionalProperties=False,
        title="Weights",
        description=f"Of the metric engagement: how much each event counts. Empty: {_weights_of(ENGAGEMENT)}.",
        examples=[ENGAGEMENT],
    ),
    "tag": Param(
        None,
        type=["null", "string"],
        maxLength=TAG_LIMIT,
        title="Tag",
        description="Count only posts with this tag, which X gives the posts that a rule of this tag matched. Empty: "
        "all posts.",
        examples=["football"],
    ),
    "publish": Param(
        False,
        type="boolean",
        title="Show to everybody",
        description="Whether the leaderboard, the report and `postrank results` show this ranking unless asked for "
        "another run. A run by schedule always is shown; without this, one by hand or by backfill has its own address "
        "(rankings/run=<run>/) only.",
        examples=[False, True],
    ),
}

BACKFILL_PARAMS = {
    "source": Param(
        "ledger",
        type="string",
        enum=list(SOURCES),
        title="Read from",
        description="ledger: the open gaps of the gap ledger, each from its source. x-search: X's recent search, up to "
        "seven days back. mastodon: the instances' timelines. bluesky: the source's gap_source. archive: files in the "
        "raw bucket.",
        examples=list(SOURCES),
    ),
    "span_start": _moment(
        "From",
        "Start of the span to read, in event time, UTC. Required unless reading from the ledger.",
    ),
    "span_end": _moment("To", "End of the span (not included), UTC."),
    "collector": Param(
        None,
        type=["null", "string"],
        pattern=f"^{NAME_PATTERN}$",
        maxLength=LONGEST,
        title="Collector",
        description="Whose gaps to read, and with whose token, rules and budgets. Empty: with a span, the one "
        "collector of that source; without, every collector's.",
        examples=["main", "x-brands"],
    ),
    "archives": Param(
        [],
        type="array",
        items={"type": "string", "pattern": FILE_PATTERN},
        maxItems=500,
        uniqueItems=True,
        title="Files",
        description="For the source archive: files below archives/ in the raw bucket, in any format of a replay.",
        examples=["2026/11/posts.ndjson.gz"],
    ),
    "slice_minutes": Param(
        60,
        type="integer",
        minimum=1,
        maximum=10080,
        title="Minutes per slice",
        description="Length of the span that one command reads; a slice that fails is read again as a whole.",
        examples=[60],
    ),
    "budget_usd": Param(
        5.0,
        type="number",
        minimum=0,
        maximum=100000,
        title="Budget",
        description="US dollars that X's posts may cost, divided among the slices, within the streamer's budgets.",
        examples=[5],
    ),
    "lookback_days": Param(
        7,
        type="integer",
        minimum=1,
        maximum=90,
        title="Days of the ledger",
        description="How many days back to look for gaps, by the day on which they were recorded.",
        examples=[7],
    ),
}

TRENDS_PARAMS = {
    "hour": Param(
        None,
        type=["null", "string"],
        format="date-time",
        pattern=TIME_PATTERN,
        title="Hour",
        description="Start of the hour to rank, in event time, UTC. Empty: the last hour that ended.",
        examples=["2026-11-24T05:00:00Z"],
    ),
    "top": Param(
        100,
        type="integer",
        minimum=1,
        maximum=TOP_LIMIT,
        title="Hashtags",
        description="Number of hashtags to keep.",
        examples=[100],
    ),
    "places": Param(
        [],
        type="array",
        items={"type": "integer", "minimum": 1},
        maxItems=50,
        uniqueItems=True,
        title="Places",
        description="Places (WOEIDs) whose trends to request from X. Empty: the places that the connection to X names.",
        examples=[1, 23424977],
    ),
    "rebuild": Param(
        False,
        type="boolean",
        title="Rebuild Postgres",
        description="Load every hour in the results bucket into Postgres again, not only this run's.",
        examples=[False, True],
    ),
}

WAREHOUSE_PARAMS = {
    "rebuild": Param(
        False,
        type="boolean",
        title="Everything",
        description="Load all exports and trends of the results bucket, not only those of the last two days.",
        examples=[False, True],
    ),
}
