"""Synthetic X v2 stream objects for the benchmarks: nobody wrote them."""

import random
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import orjson

START = datetime(2026, 5, 1, 12, tzinfo=UTC)
_SNOWFLAKE = 1_800_000_000_000_000_000


def x_post(number: int, draw: random.Random) -> dict[str, Any]:
    """One stream object with its author and a matching rule; heavy-tailed authors, 100 posts a second."""
    author = str(10**9 + int(draw.paretovariate(0.7)) % 200_000)
    post_id = str(_SNOWFLAKE + (number * 10 << 22))
    return {
        "data": {
            "id": post_id,
            "text": f"{'some words about nothing in particular ' * 3}#tag{number % 50}",
            "author_id": author,
            "created_at": f"{START + timedelta(seconds=number // 100):%Y-%m-%dT%H:%M:%S}.000Z",
            "lang": "en",
            "edit_history_tweet_ids": [post_id],
            "entities": {"hashtags": [{"start": 117, "end": 122, "tag": f"tag{number % 50}"}]},
            "public_metrics": {"retweet_count": 0, "reply_count": 0, "like_count": 0, "quote_count": 0},
        },
        "includes": {"users": [{"id": author, "name": f"Simulated {author}", "username": f"sim_{author}"}]},
        "matching_rules": [{"id": "1", "tag": "all"}],
    }


def write_x_posts(path: Path, posts: int, seed: int = 7) -> Path:
    """A file of `posts` stream objects, one a line."""
    draw = random.Random(seed)
    with path.open("wb") as file:
        for number in range(posts):
            file.write(orjson.dumps(x_post(number, draw), option=orjson.OPT_APPEND_NEWLINE))
    return path
