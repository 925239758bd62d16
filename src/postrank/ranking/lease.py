"""A lease in the lake: of all runs that move the same pointers, one at a time does.

The catalogue has no compare-and-set; S3 does ("Conditional writes": If-Match, If-None-Match). A lease is one object
that names its holder and a generation, which grows whenever the lease changes hands. A holder that ended without
releasing is succeeded as soon as its run is over, or when it did not renew for EXPIRY by S3's own clock. A run that
lost its lease learns so before its next pointer moves (`LeaseLost`).
"""

import json
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING

from botocore.exceptions import ClientError

from postrank.aws.prefixes import Condition
from postrank.errors import Fatal, Retryable
from postrank.ranking.run_identity import Run

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

PREFIX = "state/leases/"  # in the lake bucket
RANKING = "ranking"  # post_versions, author_minutes, author_ranking_revisions and their debt
TRENDS = "trends"  # hashtag_ranking and its debt
LABELS = "labels"  # labels and words of the warehouse
EXPIRY = timedelta(hours=2)  # longer than any statement of a run, its retries included
# How S3 answers a conditional write that somebody else came before.
LOST_RACES = ("PreconditionFailed", "ConditionalRequestConflict", "NoSuchKey")

IsOver = Callable[[str, str], bool]  # of a DAG and a run id: whether that run has ended


class LeaseLost(Fatal):
    """Another run took the lease over, so this run's plan may be out of date."""

    def __init__(self, lease: str, run_id: str, holder: str) -> None:
        super().__init__(
            f"run {run_id} no longer holds the lease {lease}, which {holder} took over: nothing more is written by "
            "this run; clear all of its tasks to plan it again"
        )
        self.lease = lease
        self.run_id = run_id
        self.holder = holder


class LeaseBusy(Retryable):
    """Another run kept the lease for as long as this one could wait."""

    def __init__(self, lease: str, holder: str, waited: float) -> None:
        super().__init__(f"run {holder} has held the lease {lease} for the {waited:.0f} s that this task could wait")
        self.lease = lease
        self.holder = holder


@dataclass(frozen=True, slots=True)
class Tenure:
    """The content of a lease object."""

    dag_id: str
    run_id: str
    generation: int
    released: bool
    token: str  # a new one for each write: tells a repeated request's own success from a lost race


@dataclass(frozen=True, slots=True)
class _Stored:
    tenure: Tenure
    etag: str
    age: timedelta  # since it was written, by S3's clock


def never_over(_dag_id: str, _run_id: str) -> bool:
    """For callers that cannot ask a scheduler: a holder is succeeded when it releases or expires."""
    return False


@dataclass(frozen=True, slots=True, kw_only=True)
class Lease:
    """One lease as one run sees it. `s3` is boto3's S3 client, `name` one of RANKING, TRENDS and LABELS."""

    s3: "S3Client"
    bucket: str
    name: str
    dag_id: str
    run: Run
    is_over: IsOver = never_over
    expiry: timedelta = EXPIRY

    def acquire(self) -> int | None:
        """Take the lease; its generation, or None while another run holds it."""
        stored = self._read()
        if stored is None:
            return self._write(int(time.time()), None)  # generations go on growing if the object is deleted
        tenure = stored.tenure
        if self._is_mine(tenure) and not tenure.released:
            return self._write(tenure.generation, stored.etag)
        if self._is_mine(tenure) or self._is_free(stored):
            return self._write(tenure.generation + 1, stored.etag)
        return None

    def require(self) -> int:
        """The generation, renewed; a released lease that nobody took since is taken back. Raises LeaseLost."""
        stored = self._read()
        if stored is None or not self._is_mine(stored.tenure):
            raise LeaseLost(self.name, self.run.run_id, stored.tenure.run_id if stored else "an operator")
        generation = self._write(stored.tenure.generation, stored.etag)
        return self.require() if generation is None else generation  # a lost race: somebody else wrote meanwhile

    def release(self) -> None:
        """Let other runs in; nothing where another run holds the lease."""
        stored = self._read()
        if stored is not None and self._is_mine(stored.tenure) and not stored.tenure.released:
            self._write(stored.tenure.generation, stored.etag, released=True)

    @property
    def holder(self) -> str:
        """The run that the lease names, for messages."""
        stored = self._read()
        return stored.tenure.run_id if stored else "no run"

    @contextmanager
    def held(self, patience: float = 600.0, poll_seconds: float = 1.0) -> Iterator[None]:
        """Hold the lease for a block. Raises LeaseBusy, or LeaseLost when it changed hands within the block."""
        deadline = time.monotonic() + patience
        while self.acquire() is None:
            if time.monotonic() > deadline:
                raise LeaseBusy(self.name, self.holder, patience)
            time.sleep(poll_seconds)
        try:
            yield
            self.require()
        finally:
            self.release()

    def _is_mine(self, tenure: Tenure) -> bool:
        return (tenure.dag_id, tenure.run_id) == (self.dag_id, self.run.run_id)

    def _is_free(self, stored: _Stored) -> bool:
        tenure = stored.tenure
        return tenure.released or stored.age > self.expiry or self.is_over(tenure.dag_id, tenure.run_id)

    @property
    def _key(self) -> str:
        return f"{PREFIX}{self.name}.json"

    def _read(self) -> _Stored | None:
        try:
            response = self.s3.get_object(Bucket=self.bucket, Key=self._key)
        except self.s3.exceptions.NoSuchKey:
            return None
        now = parsedate_to_datetime(response["ResponseMetadata"]["HTTPHeaders"]["date"])
        modified: datetime = response["LastModified"]
        return _Stored(Tenure(**json.loads(response["Body"].read())), response["ETag"], now - modified)

    def _write(self, generation: int, etag: str | None, *, released: bool = False) -> int | None:
        """Write unless somebody else did since `etag` (None: since there was nothing); the generation, None if so."""
        tenure = Tenure(self.dag_id, self.run.run_id, generation, released, uuid.uuid4().hex)
        condition: Condition = {"IfNoneMatch": "*"} if etag is None else {"IfMatch": etag}
        body = json.dumps(asdict(tenure)).encode()
        try:
            self.s3.put_object(
                Bucket=self.bucket, Key=self._key, Body=body, ContentType="application/json", **condition
            )
        except ClientError as error:
            if error.response["Error"]["Code"] not in LOST_RACES:
                raise
            # The SDK repeats a request whose response was lost: then it was this very write that came first.
            stored = self._read()
            return generation if stored is not None and stored.tenure == tenure else None
        return generation
