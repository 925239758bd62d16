"""ListObjects, both versions: prefixes, delimiters, pages."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import quote

from localaws.s3.store import Store, Stored
from localaws.s3.xml import element, text_of, timestamp

_MOST = 1000  # "API_ListObjectsV2": up to 1,000 keys a page


@dataclass(slots=True)
class Page:
    """One page of a listing: objects, common prefixes, and the last of either when there is more."""

    objects: list[Stored] = field(default_factory=list)
    prefixes: list[str] = field(default_factory=list)
    next_after: str | None = None

    @property
    def count(self) -> int:
        return len(self.objects) + len(self.prefixes)


def page(store: Store, bucket: str, prefix: str, delimiter: str, after: str, most: int) -> Page:
    """The keys under `prefix` greater than `after`, those with `delimiter` behind the prefix rolled up."""
    found, seen = Page(), after
    while True:
        rolled = None
        for stored in store.list(bucket, prefix, seen):
            if found.count == most:
                found.next_after = seen
                return found
            rolled = _rolled(stored.key, prefix, delimiter)
            if rolled is not None:
                break
            found.objects.append(stored)
            seen = stored.key
        if rolled is None:
            return found
        if not after.startswith(rolled):
            found.prefixes.append(rolled)
        # Every key below the common prefix is passed over at once, however many there are.
        seen = rolled + "\U0010ffff"


def _rolled(key: str, prefix: str, delimiter: str) -> str | None:
    if not delimiter or (end := key.find(delimiter, len(prefix))) < 0:
        return None
    return key[: end + len(delimiter)]


def answer(store: Store, bucket: str, query: Mapping[str, str]) -> bytes:
    """The XML of ListObjectsV2 (`list-type=2`) or ListObjects."""
    second = query.get("list-type") == "2"
    prefix, delimiter = query.get("prefix", ""), query.get("delimiter", "")
    most = min(int(query.get("max-keys") or _MOST), _MOST)
    after = query.get("continuation-token") or query.get("start-after", "") if second else query.get("marker", "")
    listed = page(store, bucket, prefix, delimiter, after, most) if most else Page()
    shown = _encoder(query.get("encoding-type", ""))
    children = [
        text_of("Name", bucket),
        text_of("Prefix", shown(prefix)),
        text_of("MaxKeys", str(most)),
        text_of("IsTruncated", "true" if listed.next_after is not None else "false"),
    ]
    if delimiter:
        children.append(text_of("Delimiter", shown(delimiter)))
    if query.get("encoding-type"):
        children.append(text_of("EncodingType", query["encoding-type"]))
    children += _places(query, listed, shown) if second else _markers(query, listed, shown)
    children += [_contents(stored, shown) for stored in listed.objects]
    children += [element("CommonPrefixes", [text_of("Prefix", shown(one))]) for one in listed.prefixes]
    return element("ListBucketResult", children, root=True).encode()


def _places(query: Mapping[str, str], listed: Page, shown: "_Shown") -> list[str]:
    children = [text_of("KeyCount", str(listed.count))]
    for name, field_name in (("continuation-token", "ContinuationToken"), ("start-after", "StartAfter")):
        if name in query:
            children.append(text_of(field_name, query[name] if name != "start-after" else shown(query[name])))
    if listed.next_after is not None:
        children.append(text_of("NextContinuationToken", listed.next_after))
    return children


def _markers(query: Mapping[str, str], listed: Page, shown: "_Shown") -> list[str]:
    children = [text_of("Marker", shown(query.get("marker", "")))]
    if listed.next_after is not None:
        children.append(text_of("NextMarker", shown(listed.next_after)))
    return children


def _contents(stored: Stored, shown: "_Shown") -> str:
    return element(
        "Contents",
        [
            text_of("Key", shown(stored.key)),
            text_of("LastModified", timestamp(stored.modified)),
            text_of("ETag", f'"{stored.etag}"'),
            text_of("Size", str(stored.size)),
            text_of("StorageClass", "STANDARD"),
        ],
    )


class _Shown:
    """How a key is written in the answer: as it is, or URL-encoded when the caller asked for that."""

    def __init__(self, encode: bool) -> None:
        self._encode = encode

    def __call__(self, key: str) -> str:
        return quote(key, safe="/") if self._encode else key


def _encoder(encoding_type: str) -> _Shown:
    return _Shown(encoding_type == "url")
