"""The verbs that list a bucket: ListObjects, ListObjectsV2, ListObjectVersions."""

from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Callable
from dataclasses import dataclass, field
from urllib.parse import quote

from localaws.core.cloud import AwsError
from localaws.core.shapes import Document, Params, Response
from localaws.services.s3.objects import OWNER
from localaws.services.s3.store import Store, Stored

_MOST = 1000  # "ListObjectsV2": up to 1,000 keys a page
_LAST = "\U0010ffff"  # greater than any character of a key


@dataclass(slots=True)
class _Page:
    """One page: objects, common prefixes, and the last name passed over when there is more."""

    objects: list[Stored] = field(default_factory=list)
    prefixes: list[str] = field(default_factory=list)
    next_after: str | None = None
    last: str = ""  # the last key or prefix on the page

    @property
    def count(self) -> int:
        return len(self.objects) + len(self.prefixes)


class ListVerbs:
    """Answers by action."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self.actions: dict[str, Callable[[Params], Response]] = {
            "ListObjects": self._first_version,
            "ListObjectsV2": self._second_version,
            "ListObjectVersions": self._versions,
        }

    def _second_version(self, params: Params) -> Response:
        token = params.get("ContinuationToken")
        start = params.get("StartAfter") or ""
        page, result, shown = self._listed(params, _untoken(token) if token else start)
        result["KeyCount"] = page.count
        result |= {"ContinuationToken": token} if token else {}
        result |= {"StartAfter": shown(start)} if start else {}
        if page.next_after is not None:
            result["NextContinuationToken"] = _token(page.next_after)
        owned = {"Owner": OWNER} if params.get("FetchOwner") else {}
        result["Contents"] = [_content(stored, shown) | owned for stored in page.objects]
        return result

    def _first_version(self, params: Params) -> Response:
        marker = params.get("Marker") or ""
        page, result, shown = self._listed(params, _passed(marker, params.get("Delimiter")))
        result["Marker"] = shown(marker)
        if page.next_after is not None and params.get("Delimiter"):
            result["NextMarker"] = shown(page.last)
        result["Contents"] = [_content(stored, shown) | {"Owner": OWNER} for stored in page.objects]
        return result

    def _listed(self, params: Params, after: str) -> tuple[_Page, Response, Callable[[str], str]]:
        prefix = params.get("Prefix") or ""
        delimiter = params.get("Delimiter") or ""
        most = _most(params)
        page = self._page(params["Bucket"], prefix, delimiter, after, most)
        shown = _shown(params)
        result: Response = {"Name": params["Bucket"], "Prefix": shown(prefix), "MaxKeys": most}
        result |= {"IsTruncated": page.next_after is not None}
        result |= {"Delimiter": shown(delimiter)} if delimiter else {}
        result |= {"EncodingType": params["EncodingType"]} if params.get("EncodingType") else {}
        result["CommonPrefixes"] = [{"Prefix": shown(common_prefix)} for common_prefix in page.prefixes]
        return page, result, shown

    def _page(self, bucket: str, prefix: str, delimiter: str, after: str, most: int) -> _Page:
        """The keys under `prefix` greater than `after`, those with `delimiter` behind the prefix rolled up."""
        page = _Page()
        seen = after
        self._store.require_bucket(bucket)
        while most:
            rolled = None
            for stored in self._store.list(bucket, prefix, seen):
                if page.count == most:
                    page.next_after = seen
                    return page
                rolled = _rolled(stored.key, prefix, delimiter)
                if rolled is not None:
                    break
                page.objects.append(stored)
                page.last = seen = stored.key
            if rolled is None:
                return page
            page.prefixes.append(rolled)
            # Every key below the common prefix is passed over at once, however many there are.
            page.last = rolled
            seen = rolled + _LAST
        return page

    def _versions(self, params: Params) -> Response:
        prefix = params.get("Prefix") or ""
        delimiter = params.get("Delimiter") or ""
        most = _most(params)
        marker = params.get("KeyMarker") or ""
        version = params.get("VersionIdMarker") or ""
        shown = _shown(params)
        rows = self._rows(params["Bucket"], prefix, marker, version)
        versions: list[Document] = []
        markers: list[Document] = []
        prefixes: list[str] = []
        last: tuple[str, str] | None = None
        truncated = False
        for stored in rows:
            rolled = _rolled(stored.key, prefix, delimiter)
            if rolled is not None and (rolled in prefixes or rolled == marker):
                continue
            if len(versions) + len(markers) + len(prefixes) == most:
                truncated = True
                break
            last = (rolled or stored.key, "" if rolled else stored.version)
            if rolled is not None:
                prefixes.append(rolled)
            elif stored.marker:
                markers.append(_version(stored, shown))
            else:
                versions.append(_version(stored, shown) | {"Size": stored.size, "ETag": f'"{stored.etag}"'})
        result: Response = {
            "Name": params["Bucket"],
            "Prefix": shown(prefix),
            "MaxKeys": most,
            "IsTruncated": truncated,
        }
        result |= {"KeyMarker": shown(marker), "VersionIdMarker": version}
        result |= {"Delimiter": shown(delimiter)} if delimiter else {}
        result |= {"EncodingType": params["EncodingType"]} if params.get("EncodingType") else {}
        if truncated and last:
            result |= {"NextKeyMarker": shown(last[0])} | ({"NextVersionIdMarker": last[1]} if last[1] else {})
        common = [{"Prefix": shown(stored)} for stored in prefixes]
        return {**result, "Versions": versions, "DeleteMarkers": markers, "CommonPrefixes": common}

    def _rows(self, bucket: str, prefix: str, marker: str, version: str) -> list[Stored]:
        """Versions by key, the newest of a key first, behind the markers."""
        self._store.require_bucket(bucket)
        rows = self._store.index.db.execute(
            "select * from versions where bucket = ?1 and substr(key, 1, ?2) = ?3"
            " and (key > ?4 or (key = ?4 and ?5 != '' and seq <"
            " coalesce((select seq from versions where bucket = ?1 and key = ?4 and version = ?5), 0)))"
            " order by key, seq desc",
            (bucket, len(prefix), prefix, marker, version),
        ).fetchall()
        return [self._store.stored(row) for row in rows]


def _most(params: Params) -> int:
    most = params.get("MaxKeys")
    if most is not None and int(most) < 0:
        raise AwsError("InvalidArgument", "Argument maxKeys must be an integer between 0 and 2147483647")
    return _MOST if most is None else min(int(most), _MOST)


def _shown(params: Params) -> Callable[[str], str]:
    """How a key is written in the answer: as it is, or URL-encoded when the caller asked for that."""
    return (lambda text: quote(text, safe="/*-._")) if params.get("EncodingType") == "url" else str


def _passed(marker: str, delimiter: str | None) -> str:
    """Where a listing goes on behind a marker: one that is a common prefix stands for all below it."""
    return marker + _LAST if delimiter and marker.endswith(delimiter) else marker


def _rolled(key: str, prefix: str, delimiter: str) -> str | None:
    if not delimiter or (end := key.find(delimiter, len(prefix))) < 0:
        return None
    return key[: end + len(delimiter)]


def _token(after: str) -> str:
    return urlsafe_b64encode(after.encode()).decode()


def _untoken(token: str) -> str:
    try:
        return urlsafe_b64decode(token.encode()).decode()
    except ValueError as error:
        raise AwsError("InvalidArgument", "The continuation token provided is incorrect") from error


def _content(stored: Stored, shown: Callable[[str], str]) -> Document:
    content: Document = {
        "Key": shown(stored.key),
        "LastModified": stored.modified,
        "ETag": f'"{stored.etag}"',
        "Size": stored.size,
    }
    return {**content, "StorageClass": stored.headers.get("StorageClass", "STANDARD")}


def _version(stored: Stored, shown: Callable[[str], str]) -> Document:
    version: Document = {"Key": shown(stored.key), "VersionId": stored.version, "IsLatest": stored.latest}
    version |= {"LastModified": stored.modified, "Owner": OWNER}
    return version if stored.marker else {**version, "StorageClass": stored.headers.get("StorageClass", "STANDARD")}
