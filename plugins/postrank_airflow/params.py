"""The parameters of `rank_authors`, as its form shows them and as a trigger is checked against them."""

from airflow.sdk import Param

from postrank.results.request import GRANULARITIES, NETWORK_PATTERN, ORDERS, TIME_PATTERN, TOP_LIMIT


def _moment(title: str, which: str) -> Param:
    return Param(
        None,
        type=["null", "string"],
        format="date-time",
        pattern=TIME_PATTERN,
        title=title,
        description=f"{which} of the interval of event time (when posts were written), a whole minute, UTC. "
        "Empty: as far as what has newly arrived.",
        examples=["2026-11-24T05:00:00Z"],
    )


RANKING_PARAMS = {
    "interval_start": _moment("From", "Start"),
    "interval_end": _moment("To", "End (not included)"),
    "granularities": Param(
        list(GRANULARITIES),
        type="array",
        items={"type": "string", "enum": list(GRANULARITIES)},
        examples=list(GRANULARITIES),
        minItems=1,
        uniqueItems=True,
        title="Windows",
        description="How long the ranked windows are; `all` is the whole interval as one.",
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
        description="`posts`: the most posts in the window. `peak_60s`: the most within any 60 seconds of it.",
        examples=list(ORDERS),
    ),
}
