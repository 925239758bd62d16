"""Writing an export: the ranking as CSV, JSON and Parquet a granularity, a manifest that accounts for it, and the
pointer to the newest.

The files are derived from the result of one Athena query, so that writing them again gives the same bytes. The manifest
is written once its files are, and the pointer moves once the manifest is written: never to an older ranking.
"""

import hashlib
import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from io import BytesIO
from typing import TYPE_CHECKING, Any, Unpack

import orjson
import pyarrow as pa
import pyarrow.compute as pc
from botocore.exceptions import ClientError
from pyarrow import csv, parquet

from postrank.aws.prefixes import Condition, split
from postrank.documents import JsonObject
from postrank.ranking.lease import LOST_RACES
from postrank.ranking.spreadsheet import neutral_columns

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

COLUMNS = {
    "granularity": pa.string(),
    "window_start": pa.timestamp("ms"),
    "window_end": pa.timestamp("ms"),
    "rank": pa.int64(),
    "network": pa.string(),
    "author_id": pa.string(),
    "author_handle": pa.string(),
    "author_name": pa.string(),
    "posts": pa.int64(),
    "share": pa.float64(),
    "previous_rank": pa.int64(),
    "peak_60s": pa.int64(),
    "revision": pa.int64(),
}
LATEST = "rankings/latest.json"
_POINTER_FACTS = ("run", "dag_id", "run_id", "exported_at", "interval", "granularities", "scope", "top", "order")
_RFC3339 = "%Y-%m-%dT%H:%M:%SZ"  # of whole seconds: windows start and end at whole minutes
_TYPES = {"csv": "text/csv; charset=utf-8", "json": "application/json", "parquet": "application/vnd.apache.parquet"}
_JSON_ROWS = 20_000


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
class Exporter:
    """Writes one run's export below `prefix` (`rankings/run=<run>/`) of `bucket`. `s3` is boto3's S3 client."""

    s3: "S3Client"
    bucket: str
    prefix: str

    def write(self, result: str, granularities: tuple[str, ...]) -> list[ExportedFile]:
        """Write the three files of each granularity from the query's result, a CSV object at `s3://bucket/key`."""
        ranking = _read(self._body(result))
        return [
            self._put(granularity, form, len(rows), content)
            for granularity in granularities
            for rows in [ranking.filter(pc.equal(ranking["granularity"], granularity))]
            for form, content in _forms(rows)
        ]

    def publish(self, manifest: JsonObject, files: list[ExportedFile], *, generation: int | None) -> None:
        """Write the manifest, then point `latest.json` at it unless a ranking of a later generation is there.

        `generation` is that of the ranking lease; None leaves `latest.json` alone.
        """
        key = f"{self.prefix}manifest.json"
        self._put_json(key, {**manifest, "files": [asdict(file) for file in files]})
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

    def _put(self, granularity: str, form: str, rows: int, content: bytes) -> ExportedFile:
        key = f"{self.prefix}granularity={granularity}/ranked_authors.{form}"
        self.s3.put_object(Bucket=self.bucket, Key=key, Body=content, ContentType=_TYPES[form])
        return ExportedFile(key, granularity, form, rows, len(content), hashlib.sha256(content).hexdigest())

    def _put_json(self, key: str, value: Any, **condition: Unpack[Condition]) -> None:
        body = (json.dumps(value, indent=2, ensure_ascii=False) + "\n").encode()
        self.s3.put_object(Bucket=self.bucket, Key=key, Body=body, ContentType="application/json", **condition)

    def _body(self, url: str) -> bytes:
        bucket, key = split(url)
        body: bytes = self.s3.get_object(Bucket=bucket, Key=key)["Body"].read()
        return body


def _read(result: bytes) -> pa.Table:
    """Athena's result: every value quoted, null as nothing between the commas."""
    return csv.read_csv(
        BytesIO(result),
        parse_options=csv.ParseOptions(newlines_in_values=True),
        convert_options=csv.ConvertOptions(
            column_types=COLUMNS,
            include_columns=list(COLUMNS),
            strings_can_be_null=True,
            quoted_strings_can_be_null=False,
            null_values=[""],
            timestamp_parsers=["%Y-%m-%d %H:%M:%S.%f", csv.ISO8601],
        ),
    )


def _forms(rows: pa.Table) -> Iterator[tuple[str, bytes]]:
    spelled = _with_text_times(rows)
    yield "csv", _csv(neutral_columns(spelled))
    yield "json", b"".join(_json(spelled))
    yield "parquet", _parquet(rows)


def _with_text_times(rows: pa.Table) -> pa.Table:
    for name in ("window_start", "window_end"):
        texts = pc.strftime(pc.cast(rows[name], pa.timestamp("s")), format=_RFC3339)
        rows = rows.set_column(rows.schema.get_field_index(name), name, texts)
    return rows


def _csv(rows: pa.Table) -> bytes:
    out = BytesIO()
    csv.write_csv(rows, out, csv.WriteOptions(quoting_style="needed", quoting_header="none"))
    return out.getvalue()


def _json(rows: pa.Table) -> Iterator[bytes]:
    """One array with a row on every line, so that it can be read as a whole and line by line."""
    yield b"["
    separator = b"\n"
    for batch in rows.to_batches(max_chunksize=_JSON_ROWS):
        for row in batch.to_pylist():
            yield separator + orjson.dumps(row)
            separator = b",\n"
    yield b"\n]\n"


def _parquet(rows: pa.Table) -> bytes:
    out = BytesIO()
    utc = rows.schema
    for name in ("window_start", "window_end"):
        utc = utc.set(utc.get_field_index(name), pa.field(name, pa.timestamp("ms", tz="UTC")))
    parquet.write_table(rows.cast(utc), out, compression="zstd")
    return out.getvalue()
