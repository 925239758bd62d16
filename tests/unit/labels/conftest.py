"""A lake and a warehouse on one local AWS."""

import itertools
from contextlib import contextmanager

import pytest

from postrank.aws.resources import Resources
from postrank.labels.lake_posts import Lake as LakePosts
from tests.support.lake.ranked_lake import Lake, render
from tests.support.lake.warehouse import (  # noqa: F401 (fixtures)
    credentials,
    database,
    instance,
    migrated,
    server,
    statement,
    warehouse_aws,
)

_numbers = itertools.count(1)


class FreeTurn:
    """A lease that is always free; `on_require` is called before each batch is stored."""

    def __init__(self, on_require=lambda: None):
        self.on_require = on_require

    @contextmanager
    def held(self):
        yield

    def require(self):
        self.on_require()
        return 1


def ingest(lake: Lake, hour: str, *events) -> None:
    """Deliver events into an arrival hour and have them read as posts, without the ranking that follows."""
    lake.runs += 1
    lake.deliver(hour, events, name=f"object-{lake.runs}")
    work = lake.ranking(f"ingest {lake.runs}", [hour])
    acts = lake.acts(work)
    for _ in ("arrived", "arrivals", "touched", "layout", "post_versions", "point_versions"):
        next(acts)
    work.end()


@pytest.fixture
def lake(warehouse_aws) -> Lake:  # noqa: F811
    return Lake(warehouse_aws.client, Resources.of(f"labels{next(_numbers)}", "123456789012")).create()


@pytest.fixture
def parts(lake, server, credentials, database):  # noqa: F811
    """What every step works with."""
    from postrank.warehouse.connection import connect

    return {
        "lake": LakePosts(athena=lake.athena, catalogue=lake.catalogue, render=render),
        "connect": lambda: connect(server, credentials),
        "statement": statement,
        "turn": FreeTurn(),
    }
