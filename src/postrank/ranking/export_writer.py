"""Writing an export: the ranking as CSV, JSON and Parquet a granularity, a manifest that accounts for it, and the
pointer to the newest.

The files are derived from the result of one Athena query, so that writing them again gives the same bytes. The manifest
is written once its files are, and the pointer moves once the manifest is written: never to an older ranking.
"""

import hashlib
import json
import shutil
from dataclasses import asdict, dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any, Unpack

from botocore.exceptions import ClientError

from postrank.aws.prefixes import Condition, split
from postrank.documents import Document, JsonObject
from postrank.ranking.export_forms import write_forms, write_windows
from postrank.ranking.lease import LOST_RACES

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

LATEST = "rankings/latest.json"
_POINTER_FACTS = ("run", "dag_id", "run_id", "exported_at", "interval", "granularities", "scope", "top", "order")
_TYPES = {"csv": "text/csv; charset=utf-8", "json": "application/json", "parquet": "application/vnd.apache.parquet"}
_COPY_BYTES = 1 << 20


@dataclass(frozen=True, slots=True)
class ExportedFile:
    """One file of an export."""

    key: str
    granularity: str
    format: str
    rows: int
    bytes: int
    sha256: str


@dataclass(frozen=True, slots=True)
class Export:
    """What was written: the rankings' files, and the list of the ranked windows as the manifest describes it."""

    files: list[ExportedFile]
    windows: JsonObject


@dataclass(frozen=True, slots=True)
class Exporter:
    """Writes one run's export below `prefix` (`rankings/run=<run>/`) of `bucket`. `s3` is boto3's S3 client."""

    s3: "S3Client"
    bucket: str
    prefix: str

    def write(self, result: str, granularities: tuple[str, ...]) -> Export:
        """Write the three files of each granularity and the list of windows from the query's result, a CSV object at
        `s3://bucket/key`.
        """
        with TemporaryDirectory(prefix="postrank-export-") as name:
            folder = Path(name)
            self._download(result, folder / "result")
            written = write_forms(folder / "result", folder / "forms", granularities)
            files = [
                self._put(granularity, form, forms.rows, path)
                for granularity, forms in written.items()
                for form, path in forms.paths.items()
            ]
            return Export(files, self._put_windows(folder / "result", folder / "windows"))

    def publish(self, manifest: JsonObject, export: Export, *, generation: int | None) -> None:
        """Write the manifest, then point `latest.json` at it unless a ranking of a later generation is there.

        `generation` is that of the ranking lease; None leaves `latest.json` alone.
        """
        key = f"{self.prefix}manifest.json"
        files = [asdict(file) for file in export.files]
        self._put_json(key, {**manifest, "files": files, "windows": export.windows})
        if generation is not None:
            facts = {name: manifest[name] for name in _POINTER_FACTS}
            self._point({"manifest": key, **facts, "generation": generation})

    def _point(self, pointer: JsonObject) -> None:
        """Compare and set `latest.json` ("Conditional writes")."""
        while True:
            current, etag = self._pointer()
            if current.get("generation", 0) > pointer["generation"]:
                return
            condition = {"IfMatch": etag} if etag else {"IfNoneMatch": "*"}
            try:
                self._put_json(LATEST, pointer, **condition)
            except ClientError as error:
                if error.response["Error"]["Code"] not in LOST_RACES:
                    raise
            else:
                return

    def _pointer(self) -> tuple[JsonObject, str]:
        """The pointer and its ETag; nothing and an empty text where nothing was published yet."""
        try:
            response = self.s3.get_object(Bucket=self.bucket, Key=LATEST)
        except self.s3.exceptions.NoSuchKey:
            return {}, ""
        return json.loads(response["Body"].read()), response["ETag"]

    def _put_windows(self, result: Path, path: Path) -> JsonObject:
        rows = write_windows(result, path)
        key = f"{self.prefix}windows.json"
        return {"key": key, "rows": rows, **self._upload(key, path, _TYPES["json"])}

    def _put(self, granularity: str, form: str, rows: int, path: Path) -> ExportedFile:
        key = f"{self.prefix}granularity={granularity}/ranked_authors.{form}"
        return ExportedFile(key, granularity, form, rows, **self._upload(key, path, _TYPES[form]))

    def _upload(self, key: str, path: Path, content_type: str) -> Document:
        """Put a file; returns its `bytes` and `sha256`."""
        with path.open("rb") as content:
            digest = hashlib.file_digest(content, "sha256").hexdigest()
            content.seek(0)
            self.s3.put_object(Bucket=self.bucket, Key=key, Body=content, ContentType=content_type)
        return {"bytes": path.stat().st_size, "sha256": digest}

    def _put_json(self, key: str, value: Any, **condition: Unpack[Condition]) -> None:
        body = (json.dumps(value, indent=2, ensure_ascii=False) + "\n").encode()
        self.s3.put_object(Bucket=self.bucket, Key=key, Body=body, ContentType="application/json", **condition)

    def _download(self, url: str, path: Path) -> None:
        bucket, key = split(url)
        body = self.s3.get_object(Bucket=bucket, Key=key)["Body"]
        with path.open("wb") as file:
            shutil.copyfileobj(body, file, _COPY_BYTES)
