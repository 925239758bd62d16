"""Places in S3: what a crawler's role may list and read, and the partitions that paths name."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from urllib.parse import unquote

from localaws.core.cloud import AwsError, Caller, Cloud, ObjectInfo


@dataclass(frozen=True, slots=True)
class Place:
    """A prefix in a bucket; `prefix` is empty or ends in a slash."""

    bucket: str
    prefix: str

    @classmethod
    def of(cls, path: str) -> "Place":
        """The place of `s3://bucket/prefix/`. Raises AwsError InvalidInputException."""
        scheme, separator, rest = path.partition("://")
        bucket, _, prefix = rest.partition("/")
        if scheme not in ("s3", "s3a", "s3n") or not separator or not bucket:
            raise AwsError("InvalidInputException", f"{path} is no path in S3")
        return cls(bucket, f"{prefix.strip('/')}/" if prefix.strip("/") else "")

    def below(self, folder: str) -> str:
        """The address of a folder here (empty, or ending in a slash)."""
        return f"s3://{self.bucket}/{self.prefix}{folder}"


class Reader:
    """Lists and reads as the crawler's role."""

    def __init__(self, cloud: Cloud, role: Caller) -> None:
        self._cloud = cloud
        self._role = role

    def objects(self, place: Place) -> Iterator[tuple[str, ObjectInfo]]:
        """The objects that hold data below a place, with their keys relative to it; names that begin with a dot or an
        underscore, and empty objects, are none (as Hive has it). Raises AwsError AccessDenied, NoSuchBucket.
        """
        self._cloud.authorize(self._role, "s3:ListBucket", f"arn:aws:s3:::{place.bucket}", {"s3:prefix": place.prefix})
        for stored in self._cloud.objects.list(place.bucket, place.prefix):
            key = stored.key.removeprefix(place.prefix)
            if stored.size and not key.rsplit("/", 1)[-1].startswith((".", "_")):
                yield key, stored

    def allow_read(self, place: Place, key: str) -> None:
        """Raises AwsError AccessDenied unless the role may read the object."""
        self._cloud.authorize(self._role, "s3:GetObject", f"arn:aws:s3:::{place.bucket}/{place.prefix}{key}")


def glob(pattern: str) -> "re.Pattern[str]":
    """An exclude pattern ("Include and exclude patterns"): `*` and `?` stay within a folder, `**` does not; `[abc]`,
    `{one,other}`, and `\\` before a character that means itself.
    """
    parts = []
    depth = 0
    rest = pattern
    while rest:
        mark = next((symbol for symbol in ("**", "*", "?", "{", "}", "[", "\\") if rest.startswith(symbol)), rest[0])
        rest = rest[len(mark) :]
        if mark == "[" and "]" in rest:
            inside, _, rest = rest.partition("]")
            parts.append("[" + inside.replace("\\", "\\\\").replace("!", "^", 1) + "]")
        elif mark == "\\" and rest:
            parts.append(re.escape(rest[0]))
            rest = rest[1:]
        elif mark == "," and depth:
            parts.append("|")
        else:
            depth += {"{": 1, "}": -1}.get(mark, 0)
            translations = {"**": ".*", "*": "[^/]*", "?": "[^/]", "{": "(?:", "}": ")"}
            parts.append(translations.get(mark) or re.escape(mark))
    return re.compile("".join(parts) + r"\Z", re.DOTALL)


def partition_values(folders: list[str], keys: list[str]) -> list[str] | None:
    """The values that the first folders give a table's partition keys, or None when they name others.

    A folder is `key=value`, or the value alone ("How does a crawler determine when to create partitions?").
    """
    if len(folders) < len(keys):
        return None
    values = []
    for folder, key in zip(folders, keys, strict=False):
        name, named, value = folder.partition("=")
        if named and name.lower() != key.lower():
            return None
        values.append(unquote(value if named else folder))
    return values
