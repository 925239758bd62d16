"""Write the bundled sample: synthetic posts with the shapes that real streams have, the same bytes at every run.

    python scripts/generate_sample.py [--posts 12000] [--seed 7] [--out include/sample/synthetic-posts.ndjson.gz]

No person wrote any of it: authors, handles and texts are drawn from word lists below, and each handle begins with
`sim_`. What it has of real streams: a heavy tail of authors (Zipf), a day's rhythm, two bursts around a hashtag, three
networks, many scripts
and emoji, replies, reposts and quotes, posts that arrive late, posts delivered twice, edits and deletes (some of
posts never seen).
"""

import argparse
import gzip
import json
import random
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

START = datetime(2026, 3, 14, 17, 0, tzinfo=UTC)
HOURS = 9  # crosses midnight, so that two days are ranked
NETWORKS = (("x", 0.5), ("mastodon:social.example", 0.2), ("bluesky", 0.3))
BURSTS = (
    (2.4, 6.0, 0.10, "eclipse"),
    (6.1, 3.0, 0.08, "finale"),
)  # hour of peak, minutes wide, share of posts, hashtag
LATE = 0.02
TWICE = 0.01
EDITED = 0.01
DELETED = 0.015
NEVER_SEEN = 0.002
SYLLABLES = "ka ro mi ne ta lu so vi da fe zo ri ma pel tor an dri sha quo ben".split()
TAGS = "lunch cycling rain maps tea garden code chess trains owls".split()
PHRASES: dict[str, tuple[str, ...]] = {
    "en": (
        "the light over the river is odd today",
        "who else is still awake",
        "third coffee and no regrets",
        "trains are late again",
    ),
    "es": ("qué tarde tan larga", "otra vez llueve sobre la ciudad", "¿alguien más lo vio?"),
    "de": ("schon wieder Regen über der Stadt", "das Brot ist heute besonders gut"),
    "ar": ("صباح الخير من المدينة", "المطر جميل هذا المساء"),
    "he": ("איזה ערב שקט", "שוב מאחרים הרכבות"),
    "hi": ("आज शाम बहुत सुहानी है", "फिर से बारिश"),
    "ja": ("今日は空がきれいです", "また電車が遅れている"),
    "ko": ("오늘 저녁 하늘이 예쁘다", "커피가 또 필요해"),
    "ru": ("снова дождь над городом", "кто ещё не спит"),
    "th": ("เย็นนี้อากาศดีมาก", "รถไฟมาช้าอีกแล้ว"),
    "el": ("πάλι βροχή στην πόλη", "τι ωραίο φως"),
    "ta": ("இன்று மாலை அழகாக உள்ளது",),
}
EMOJI = "🌒 🚲 ☕ 🦉 🎉 👩‍🚀 🏳️‍🌈 👍🏽 🇪🇺 🫠".split()

Record = dict[str, Any]


@dataclass(frozen=True)
class Author:
    """A made-up account: one network, one language, one handle."""

    network: str
    author_id: str
    handle: str
    name: str
    lang: str


class Sample:
    """Draws the whole sample from one seed."""

    def __init__(self, seed: int, posts: int) -> None:
        self._draw = random.Random(seed)  # noqa: S311 - a sample is to be predictable
        self._posts = posts
        self._authors = [self._author(number) for number in range(max(posts // 8, 1))]
        self._weights = [1 / (rank + 2) ** 0.9 for rank in range(len(self._authors))]

    def lines(self) -> Iterator[Record]:
        """Every record in the order in which a collector would have received it."""
        posts = self._all_posts()
        arrivals = [(self._arrival(post), post) for post in posts]
        arrivals += [
            (at + timedelta(seconds=self._draw.uniform(1, 90)), post) for at, post in self._some(arrivals, TWICE)
        ]
        arrivals += [self._edit(at, post) for at, post in self._some(arrivals, EDITED)]
        arrivals += [self._delete(at, post) for at, post in self._some(arrivals, DELETED)]
        arrivals += [self._delete_of_unseen(number) for number in range(int(self._posts * NEVER_SEEN))]
        for _, record in sorted(arrivals, key=lambda one: one[0]):
            yield record

    def _author(self, number: int) -> Author:
        network = self._draw.choices([n for n, _ in NETWORKS], [w for _, w in NETWORKS])[0]
        stem = "".join(self._draw.choices(SYLLABLES, k=self._draw.randint(2, 4)))
        handle = f"sim_{stem}{number}"
        if network == "bluesky":
            return Author(network, f"did:plc:sim{number:021d}", f"{handle}.example", stem.title(), self._lang())
        author_id = str(self._draw.randint(10**8, 10**10))
        return Author(network, author_id, handle, f"{stem.title()} {self._draw.choice(EMOJI)}", self._lang())

    def _lang(self) -> str:
        return self._draw.choice(list(PHRASES))

    def _all_posts(self) -> list[Record]:
        posts: list[Record] = []
        for number in range(self._posts):
            author = self._draw.choices(self._authors, self._weights)[0]
            at, tag = self._moment()
            posts.append(self._post(number, author, at, tag, posts))
            # Somebody in a burst of their own: that is what the 60-second peak shows.
            if self._draw.random() < 0.004:
                for extra in range(self._draw.randint(3, 9)):
                    at += timedelta(milliseconds=self._draw.randint(300, 6000))
                    posts.append(self._post(10**6 + number * 10 + extra, author, at, tag, posts))
        return posts

    def _moment(self) -> tuple[datetime, str | None]:
        draw = self._draw.random()
        share = 0.0
        for hour, width, part, tag in BURSTS:
            share += part
            if draw < share:
                return self._within(hour + self._draw.gauss(0, width / 60)), tag
        return self._within(HOURS * self._draw.betavariate(1.4, 1.7)), None

    @staticmethod
    def _within(hours: float) -> datetime:
        hours = min(max(hours, 0.0), HOURS - 0.001)
        return START + timedelta(milliseconds=round(hours * 3_600_000))

    def _post(self, number: int, author: Author, at: datetime, tag: str | None, earlier: list[Record]) -> Record:
        tags = ([tag] if tag else []) + self._draw.choices(TAGS, k=self._draw.choice((0, 0, 0, 1, 1, 2)))
        words = [self._draw.choice(PHRASES[author.lang]), *self._draw.choices(EMOJI, k=self._draw.randint(0, 2))]
        record: Record = {
            "kind": "post",
            "network": author.network,
            "post_id": f"{author.author_id}/{number}" if author.network == "bluesky" else str(9 * 10**17 + number),
            "author_id": author.author_id,
            "author_handle": author.handle,
            "author_name": author.name,
            "posted_at": _text(at),
            "text": " ".join([*words, *(f"#{self._spelling(one)}" for one in tags)]),
            "lang": author.lang,
            "hashtags": [self._spelling(one) for one in tags],
            "mentions": [],
            "urls": ["https://example.org/a"] if self._draw.random() < 0.1 else [],
        }
        original = self._draw.choice(earlier) if earlier else record
        # Ids mean nothing on another network, and nobody answers a post that is not there yet.
        if original["network"] == author.network and original["posted_at"] < record["posted_at"]:
            record[self._draw.choice(("reply_to", "repost_of", "quote_of"))] = original["post_id"]
        return record

    def _spelling(self, tag: str) -> str:
        return self._draw.choice((tag, tag, tag.title(), tag.upper()))

    def _arrival(self, post: Record) -> datetime:
        late = self._draw.random() < LATE
        return _moment(post) + timedelta(seconds=self._draw.uniform(60, 7200) if late else self._draw.expovariate(0.5))

    def _some(self, arrivals: list[tuple[datetime, Record]], share: float) -> list[tuple[datetime, Record]]:
        posts = [one for one in arrivals if one[1]["kind"] == "post"]
        return self._draw.sample(posts, int(len(posts) * share))

    def _edit(self, at: datetime, post: Record) -> tuple[datetime, Record]:
        edited = {**post, "kind": "edit", "text": f"{post['text']} (edited)"}
        return at + timedelta(seconds=self._draw.uniform(20, 1800)), edited

    def _delete(self, at: datetime, post: Record) -> tuple[datetime, Record]:
        gone = {"kind": "delete", "network": post["network"], "post_id": post["post_id"]}
        return at + timedelta(seconds=self._draw.uniform(30, 3600)), gone

    def _delete_of_unseen(self, number: int) -> tuple[datetime, Record]:
        at, _ = self._moment()
        return at, {"kind": "delete", "network": "x", "post_id": str(8 * 10**17 + number)}


def _text(at: datetime) -> str:
    return at.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _moment(record: Record) -> datetime:
    return datetime.fromisoformat(record["posted_at"])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--posts", type=int, default=12_000)
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--out", type=Path, default=Path("include/sample/synthetic-posts.ndjson.gz"))
    options = parser.parse_args()
    text = "".join(json.dumps(one, ensure_ascii=False) + "\n" for one in Sample(options.seed, options.posts).lines())
    options.out.write_bytes(gzip.compress(text.encode(), compresslevel=9, mtime=0))
    print(f"{text.count(chr(10))} synthetic records in {options.out} ({options.out.stat().st_size:,} bytes)")


if __name__ == "__main__":
    main()
