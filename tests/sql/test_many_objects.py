"""An hour that arrived in very many small objects, as it does with a small buffer or after hours of retries."""

import gzip
import json
from collections import Counter
from concurrent.futures import ThreadPoolExecutor

import pytest

from postrank.delivery.lines import DeliveredLines
from tests.support.lake.ranked_lake import post

pytestmark = [pytest.mark.slow, pytest.mark.timeout(1800)]

OBJECTS = 20_000
AUTHORS = 7
HOUR, NEXT = "2026-11-24T01", "2026-11-24T02"


def _post(number: int) -> dict[str, object]:
    minute, second = divmod(number % 3600, 60)
    return post(str(number), f"author {number % AUTHORS}", f"2026-11-23T10:{minute:02}:{second:02}.000Z")


def test_twenty_thousand_objects_in_an_hour_are_counted_and_ranked(lake):
    s3, raw = lake.client("s3"), lake.names.buckets["raw"]
    folder = f"raw/posts/dt={HOUR[:10]}/hour={HOUR[11:]}/"

    def put(number: int) -> None:
        body = gzip.compress(json.dumps(_post(number)).encode() + b"\n")
        s3.put_object(Bucket=raw, Key=f"{folder}{number:05}.ndjson.gz", Body=body)

    lake.deliver(HOUR, [_post(OBJECTS)])
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(put, range(OBJECTS)))
    delivered = DeliveredLines(s3, raw, "raw/posts/")
    assert (delivered.update(), delivered.objects) == (OBJECTS + 1, OBJECTS + 1)
    lake.rank([HOUR])
    assert _day(lake) == Counter(f"author {number % AUTHORS}" for number in range(OBJECTS + 1))
    lake.deliver(NEXT, [_post(0), _post(OBJECTS + 1)])
    assert delivered.update() == OBJECTS + 3
    lake.rank([NEXT])
    assert _day(lake).total() == OBJECTS + 2


def _day(lake) -> Counter[str]:
    rows = lake.rows("select author_id, posts from author_ranking where granularity = 'day'")
    return Counter({row["author_id"]: int(row["posts"]) for row in rows})
