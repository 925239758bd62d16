"""Posts as the statements of `include/sql/labels` select them from the lake."""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256

from postrank.aws.athena import Athena
from postrank.aws.glue import Catalogue, Partition
from postrank.ranking.catalog_state import PSEUDO_DAYS

Row = Mapping[str, str | None]


@dataclass(frozen=True, slots=True, kw_only=True)
class LakePost:
    """A post to label; one that is_gone has nothing but its key. `place` orders the posts of a query."""

    arrival_interval: str
    network: str
    post_id: str
    is_gone: bool
    author_id: str = ""
    posted_at: datetime | None = None
    text: str = ""
    lang: str | None = None
    hashtags: tuple[str, ...] = ()

    @property
    def key(self) -> tuple[str, str]:
        return self.network, self.post_id

    @classmethod
    def of(cls, row: Row) -> "LakePost":
        """A row of `labels/arrived_posts.sql`."""
        return cls(
            arrival_interval=str(row["arrival_interval"]),
            network=str(row["network"]),
            post_id=str(row["post_id"]),
            is_gone=row["is_gone"] == "true",
            author_id=row["author_id"] or "",
            posted_at=datetime.fromisoformat(row["posted_at"]).replace(tzinfo=UTC) if row["posted_at"] else None,
            text=row["text"] or "",
            lang=row["lang"],
            hashtags=tuple(str(tag) for tag in json.loads(row["hashtags"] or "[]") or ()),
        )


@dataclass(frozen=True, slots=True)
class ArrivalHour:
    """An arrival hour of `post_versions`: its posted days, and a digest of what was ingested of it."""

    name: str  # 2026-11-24T05
    days: frozenset[str]
    content: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Lake:
    """What labels and words read of the lake."""

    athena: Athena
    catalogue: Catalogue
    render: Callable[..., str]

    @property
    def has_posts(self) -> bool:
        """Whether anything was ranked yet: the ranking makes the views."""
        return self.catalogue.has_table("posts")

    def arrival_hours(self) -> list[ArrivalHour]:
        """The ingested arrival hours, the newest first."""
        hours: dict[str, list[Partition]] = {}
        for partition in self.catalogue.partitions("post_versions"):
            hours.setdefault(partition.values[0], []).append(partition)
        return [_arrival_hour(name, hours[name]) for name in sorted(hours, reverse=True)]

    def day_partitions(self) -> dict[str, dict[str, str]]:
        """The posted days: of each the partitions by arrival hour, and where they are."""
        days: dict[str, dict[str, str]] = {}
        for partition in self.catalogue.partitions("post_versions"):
            hour, day = partition.values
            if day not in PSEUDO_DAYS:
                days.setdefault(day, {})[hour] = partition.location
        return days

    def arrived_posts(self, hours: list[ArrivalHour]) -> Iterator[LakePost]:
        """The posts that some arrival hours brought, changed or deleted, by arrival hour, network and id."""
        days = sorted(set().union(*(hour.days for hour in hours)))
        names = sorted(hour.name for hour in hours)
        statement = self.render("labels/arrived_posts.sql", days=days, arrival_hours=names)
        return map(LakePost.of, self.athena.stream(statement))

    def day_texts(self, day: str) -> Iterator[tuple[str, str | None]]:
        """The texts of a posted day with the languages that their networks state."""
        for row in self.athena.stream(self.render("labels/day_texts.sql", day=day)):
            yield row["text"] or "", row["lang"]

    def deleted_posts(self, first_hour: str) -> Sequence[Row]:
        """What was deleted by tombstones that arrived since an hour."""
        return self.athena.rows(self.render("labels/deleted_posts.sql", first_hour=first_hour))

    def reduced_days(self, days: list[str]) -> set[tuple[str, str]]:
        """Which of some posted days have lost posts, and by which arrival hours: pairs of day and hour."""
        rows = self.athena.rows(self.render("labels/reduced_days.sql", days=days))
        return {(str(row["posted_date"]), str(row["arrival_interval"])) for row in rows}


def _arrival_hour(name: str, partitions: list[Partition]) -> ArrivalHour:
    """Compaction and redaction move partitions but keep their notes: those say whether an hour was ingested again."""
    notes = [
        (partition.values[1], partition.notes.get("postrank.objects"), partition.notes.get("postrank.bytes"))
        for partition in partitions
    ]
    content = sha256(json.dumps(sorted(notes, key=str)).encode()).hexdigest()[:16]
    return ArrivalHour(name, frozenset(partition.values[1] for partition in partitions) - PSEUDO_DAYS, content)
