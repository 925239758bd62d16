"""The parameters of DAGs, as their forms show them and as a trigger is checked against them."""

from airflow.sdk import Param

from postrank.gaps.request import FILE_PATTERN, SOURCES
from postrank.ranking.request import GRANULARITIES, NETWORK_PATTERN, ORDERS, TIME_PATTERN, TOP_LIMIT


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
    words = f"{which} of the interval of event time (when posts were written), a whole minute, UTC. "
    return _moment(title, words + "Empty: as far as what has newly arrived.")


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
        description="How long the ranked windows are; all: the whole interval as one.",
    ),
    "networks": Param(
        [],
        type="array",
        items={"type": "string", "pattern": NETWORK_PATTERN},
        maxItems=100,
        uniqueItems=True,
        examples=["x", "bluesky", "mastodon:mastodon.social"],
        title="Networks",
        description="Rank the authors of these networks only, together. Empty: all networks.",
    ),
    "top": Param(
        100,
        type="integer",
        minimum=1,
        maximum=TOP_LIMIT,
        title="Authors a window",
        description="How many authors each window keeps.",
        examples=[20, 100],
    ),
    "include_reposts": Param(
        True,
        type="boolean",
        title="Count reposts",
        description="Whether a repost of somebody else's post counts as a post.",
        examples=[True, False],
    ),
    "order": Param(
        "posts",
        type="string",
        enum=list(ORDERS),
        title="Rank by",
        description="posts: the most posts in the window. peak_60s: the most within any 60 seconds of it.",
        examples=list(ORDERS),
    ),
}

BACKFILL_PARAMS = {
    "source": Param(
        "ledger",
        type="string",
        enum=list(SOURCES),
        title="Read from",
        description="ledger: the open gaps of the gap ledger, each from where its source can be read again. x-search: "
        "X's recent search, seven days back. mastodon: the instances' timelines. archive: files in the raw bucket.",
        examples=list(SOURCES),
    ),
    "span_start": _moment(
        "From",
        "Start of the span of event time to read, UTC. Empty for the ledger, which names the spans; else needed.",
    ),
    "span_end": _moment("To", "End of that span, not included, UTC."),
    "archives": Param(
        [],
        type="array",
        items={"type": "string", "pattern": FILE_PATTERN},
        maxItems=500,
        uniqueItems=True,
        title="Files",
        description="For the source archive: files below archives/ in the raw bucket, in any form that a replay reads.",
        examples=["2026/11/posts.ndjson.gz"],
    ),
    "slice_minutes": Param(
        60,
        type="integer",
        minimum=1,
        maximum=10080,
        title="Minutes a slice",
        description="How much time one command reads; a slice that fails is read again as a whole.",
        examples=[60],
    ),
    "budget_usd": Param(
        5.0,
        type="number",
        minimum=0,
        maximum=100000,
        title="Budget",
        description="US dollars that X's posts may cost, in equal shares, within the streamer's budgets.",
        examples=[5],
    ),
    "lookback_days": Param(
        7,
        type="integer",
        minimum=1,
        maximum=90,
        title="Days of the ledger",
        description="How far back gaps are looked for, by the day on which they were noted.",
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
        description="Start of the hour of event time to rank, UTC. Empty: the last one that ended.",
        examples=["2026-11-24T05:00:00Z"],
    ),
    "top": Param(
        100,
        type="integer",
        minimum=1,
        maximum=TOP_LIMIT,
        title="Hashtags",
        description="How many hashtags are kept.",
        examples=[100],
    ),
    "places": Param(
        [],
        type="array",
        items={"type": "integer", "minimum": 1},
        maxItems=50,
        uniqueItems=True,
        title="Places",
        description="Where on earth (WOEIDs) to ask X for trends. Empty: the places that the connection to X names.",
        examples=[1, 23424977],
    ),
    "rebuild": Param(
        False,
        type="boolean",
        title="Rebuild Postgres",
        description="Put every hour that the results bucket holds into Postgres again, not only this run's.",
        examples=[False, True],
    ),
}
