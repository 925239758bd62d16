"""Which objects a DAG's pages may show, and what they hold.

None holds posts: whoever may see the runs of a DAG sees what it exported and noted, not what people wrote.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from botocore.exceptions import ClientError

from postrank_airflow.connections import clients
from postrank_airflow.connections.environment import RESOURCES

LISTED = 200  # objects on a page
SHOWN_BYTES = 256 * 1024  # of one object

_RESULTS, _LAKE, _RAW = (f"s3://{RESOURCES.buckets[name]}/" for name in ("results", "lake", "raw"))
_READABLE: Mapping[str, tuple[str, ...]] = {
    "rank_authors": (f"{_RESULTS}rankings/run=",),
    "trending_topics": (f"{_RESULTS}trends/",),
    "backfill_posts": (f"{_RAW}{RESOURCES.keys['ledgers']}gaps/",),
    "maintain_lake": (f"{_RESULTS}costs/", f"{_LAKE}evidence/"),
}


class NotShown(Exception):
    """Objects that are not among those that a DAG's pages show, or do not exist."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One object."""

    uri: str
    bytes: int
    written_at: datetime


def listing(dag_id: str, uri: str) -> list[Entry]:
    """The objects at or below `uri`, the first LISTED by name. Raises NotShown."""
    bucket, key = _checked(dag_id, uri)
    page = clients.client("s3").list_objects_v2(Bucket=bucket, Prefix=key, MaxKeys=LISTED)
    return [
        Entry(f"s3://{bucket}/{entry['Key']}", entry["Size"], entry["LastModified"])
        for entry in page.get("Contents", ())
    ]


def beginning(dag_id: str, uri: str) -> bytes:
    """The first SHOWN_BYTES of an object. Raises NotShown."""
    bucket, key = _checked(dag_id, uri)
    try:
        body: bytes = clients.client("s3").get_object(Bucket=bucket, Key=key)["Body"].read(SHOWN_BYTES)
    except ClientError as error:
        if error.response["Error"]["Code"] == "NoSuchKey":
            raise NotShown(f"{uri} does not exist; its retention may be over") from error
        raise
    return body


def _checked(dag_id: str, uri: str) -> tuple[str, str]:
    if not uri.startswith(_READABLE.get(dag_id, ())):
        raise NotShown(f"{uri[:200]} is not among the objects that the pages of {dag_id[:100]} show")
    bucket, _, key = uri.removeprefix("s3://").partition("/")
    return bucket, key
