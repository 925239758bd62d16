"""The job as a person starts it, on a local AWS with a stream and a bucket."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import orjson
import pyarrow.parquet

from localaws.testing.patience import patient
from localaws.testing.server import LocalAws, running_localaws
from localaws.testing.streams import settled
from postrank.sinks.packing import Packer

ROOT = Path(__file__).resolve().parents[3]
BUCKET = "spark-lake"
STREAM = "spark-posts"
_SECONDS = 400.0


@dataclass
class Cloud:
    """A local AWS with the stream and the bucket."""

    aws: LocalAws
    folder: Path

    def put(self, lines: Iterable[bytes], *, gzipped: bool = False) -> None:
        """Put lines as the streamer does: many in a record."""
        packer = Packer(STREAM, gzipped=gzipped)
        for line in lines:
            author = orjson.loads(line).get("author_id") if line.startswith(b"{") else None
            packer.add([author or "-"], [line])
        records = [{"PartitionKey": record.key, "Data": record.data} for record in packer.take()]
        for start in range(0, len(records), 100):
            response = self.aws.client("kinesis").put_records(StreamName=STREAM, Records=records[start : start + 100])
            assert response["FailedRecordCount"] == 0

    def arguments(self, *more: str) -> list[str]:
        """The command that reads the stream and writes into the bucket."""
        command = [sys.executable, "-m", "postrank_spark", "run", "--late", "3 hours"]
        command += ["--checkpoints", f"s3a://{BUCKET}/checkpoints", "--lake", f"s3a://{BUCKET}/stream"]
        return [*command, *more]

    def drain(self, *more: str, env: dict[str, str] | None = None) -> None:
        """Run the job until the stream is read, with all windows closed."""
        done = subprocess.run(
            self.arguments("--drain", *more),
            cwd=ROOT,
            env={**self.environment, **(env or {})},
            capture_output=True,
            text=True,
            timeout=patient(_SECONDS),
            check=False,
        )
        assert done.returncode == 0, done.stderr[-4000:]

    @contextmanager
    def running(self, *more: str) -> Iterator["subprocess.Popen[bytes]"]:
        """The job, at work until the block ends; then it is killed with all its processes, if it still runs."""
        with (self.folder / "job.log").open("ab") as log:
            process = subprocess.Popen(
                self.arguments(*more), cwd=ROOT, env=self.environment, stdout=log, stderr=log, start_new_session=True
            )
        try:
            yield process
        finally:
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()

    @property
    def environment(self) -> dict[str, str]:
        own = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
        return {**own, **self.aws.root_environment}

    def keys(self, prefix: str) -> list[str]:
        """The keys of the bucket below a prefix."""
        pages = self.aws.client("s3").get_paginator("list_objects_v2").paginate(Bucket=BUCKET, Prefix=prefix)
        return [item["Key"] for page in pages for item in page.get("Contents", [])]

    def rows(self, output: str) -> list[dict[str, object]]:
        """The rows of all Parquet files of an output."""
        rows: list[dict[str, object]] = []
        for key in self.keys(f"stream/{output}/"):
            if key.endswith(".parquet"):
                path = self.folder / "part.parquet"
                self.aws.client("s3").download_file(BUCKET, key, str(path))
                rows += pyarrow.parquet.ParquetFile(path).read().to_pylist()
        return rows


@contextmanager
def running_cloud(folder: Path, shards: int = 2) -> Iterator[Cloud]:
    """A local AWS with an empty stream and an empty bucket."""
    with running_localaws(folder, env={"LOCALAWS_KINESIS_LIMITS": "off"}) as aws:
        aws.client("s3").create_bucket(Bucket=BUCKET)
        aws.client("kinesis").create_stream(StreamName=STREAM, ShardCount=shards)
        settled(aws.client("kinesis"), STREAM)
        yield Cloud(aws, folder)
