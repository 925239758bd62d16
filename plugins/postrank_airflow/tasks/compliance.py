"""The tasks of `check_compliance`: list the ids of X's posts, have X check them on a collector's host."""

from collections.abc import Sequence

from airflow.sdk import task
from airflow.sdk.exceptions import AirflowSkipException

from postrank.collectors.registry import Entry
from postrank.documents import Document, JsonObject
from postrank.gaps.request import compliance_slice
from postrank.lake.redaction.compliance_ids import FILE, ComplianceIds
from postrank_airflow.connections import clients
from postrank_airflow.connections.environment import RESOURCES
from postrank_airflow.connections.run_context import run_context
from postrank_airflow.dag.run_note import add_to_note, counted, reason_in_note, result_in_note


@task
@reason_in_note
def list_ids() -> list[Document]:
    """List the ids of the posts of X that the lake holds. Plans the command of one collector that reads X."""
    collector = _reader_of_x(clients.registry().entries())
    if collector is None:
        raise AirflowSkipException("no collector reads X: there is nothing to check")
    ids = ComplianceIds(
        athena=clients.athena(),
        catalogue=clients.catalogue(),
        s3=clients.client("s3"),
        bucket=RESOURCES.buckets["raw"],
    )
    if not (count := ids.write()):
        raise AirflowSkipException("the lake holds no post of X")
    add_to_note(f"X checks {counted(count, 'post')}")
    return [{"Parameters": compliance_slice(FILE, run_context().start_date, collector)}]


@task
@result_in_note
def count_deletions(summaries: Sequence[JsonObject]) -> str:
    """Say how many posts X wants deleted; `maintain_lake` redacts them."""
    delivered = sum(summary["delivered"] for summary in summaries[:])
    return f"{counted(delivered, 'post')} must go"


def _reader_of_x(collectors: Sequence[Entry]) -> str | None:
    """The first collector that is known to read X."""
    return next((entry.name for entry in collectors if entry.source == "x"), None)
