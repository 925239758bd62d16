"""The tasks of `backfill_posts`: plan slices, read each on the streamer's host, update the gap ledger."""

import json
import logging
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from airflow.providers.amazon.aws.operators.ssm import SsmRunCommandOperator
from airflow.sdk import Context, task
from airflow.sdk.definitions.mappedoperator import OperatorPartial
from airflow.sdk.exceptions import AirflowFailException, AirflowSkipException

from postrank.aws.resources import MAIN
from postrank.collectors.labels import backfill_label, owner_of
from postrank.collectors.registry import Entry
from postrank.documents import Document, JsonObject
from postrank.errors import Retryable
from postrank.gaps import open_gaps
from postrank.gaps import request as recovery
from postrank.gaps.open_gaps import Gap, Span
from postrank.gaps.request import ARCHIVE, RecoveryRequest
from postrank.posts.times import to_text
from postrank.report.ledgers import Ledgers
from postrank_airflow.connections import clients
from postrank_airflow.connections.environment import AWS_CONNECTION, POLL_SECONDS, RESOURCES
from postrank_airflow.connections.run_context import RunContext, run_context
from postrank_airflow.dag.pools import BACKFILL
from postrank_airflow.dag.run_note import reason_in_note, result_in_note
from postrank_airflow.operators.links import wrote

_MENDS_FIRST = 2  # the command's status when trying again does not help
_SECONDS = 4 * 3600  # that a slice may take, as the SSM document has it
# What the UI shows of a slice: its collector, its source, and where it starts.
_LABEL = (
    "{% set slice = task.run_command_kwargs['Parameters'] %}"
    "{{ slice.get('Collector', ['main'])[0] }} {{ slice['Source'][0] }} {{ slice['From'][0][:16] }}"
)
_log = logging.getLogger(__name__)


class SliceFailed(Retryable):
    """A slice was not read to its end; a retry may succeed."""


class NotRecovered(Retryable):
    """Some slices were not recovered."""


class SliceOperator(SsmRunCommandOperator):
    """Reads one slice again on the streamer's instance, where the token, the state and the budgets are.

    Mapped over the parameters of the SSM document; returns the summary that `postrank backfill` printed. A repeat
    reads the slice again, which the lake's rows of one post each make harmless.
    """

    def __init__(self, **kwargs: Any) -> None:
        arguments = {
            "document_name": RESOURCES.streamer.backfill_document,
            "aws_conn_id": AWS_CONNECTION,
            "waiter_delay": POLL_SECONDS,
            "waiter_max_attempts": _SECONDS // POLL_SECONDS,
            "deferrable": True,
        }
        super().__init__(**{**arguments, **kwargs})

    @classmethod
    def one_by_one(cls, task_id: str, **kwargs: Any) -> OperatorPartial:
        """The operator in its pool, to be mapped over the parameters of slices (`run_command_kwargs`)."""
        return cls.partial(
            task_id=task_id,
            pool=BACKFILL,
            execution_timeout=timedelta(seconds=_SECONDS),
            map_index_template=_LABEL,
            doc_md="Read one slice again with `postrank backfill` on its collector's instance.",
            **kwargs,
        )

    def execute(self, context: Context) -> Any:
        """Send the command to the instance that answers now; an earlier attempt may have had another."""
        parameters = self.run_command_kwargs["Parameters"]
        observer = clients.observer(recovery.reader_of(parameters))
        self.run_command_kwargs = {
            "InstanceIds": [observer.instance_that_answers()],
            "Parameters": parameters,
        }
        return super().execute(context)

    def execute_complete(self, context: Context, event: Document | None = None) -> Any:  # noqa: ARG002
        """The command's summary. Raises AirflowFailException where a repeat would fail alike, else SliceFailed."""
        answer = _answer(event or {})
        if answer["Status"] == "Success":
            return _summary(answer)
        reason = _summary(answer).get("error") or answer["StandardErrorContent"].strip()[-500:] or answer["Status"]
        if answer["ResponseCode"] == _MENDS_FIRST:
            raise AirflowFailException(reason)
        raise SliceFailed(reason)


@task
@reason_in_note
def plan_slices() -> list[Document]:
    """Decide on the slices of every collector that is not being deployed. Plans the commands."""
    context = run_context()
    collectors = clients.registry().entries()
    ready = _ready(collectors)
    as_of = context.start_date
    request = RecoveryRequest.of(context.params, as_of)
    gaps = [] if request.span else _gaps(context, collectors)
    for words in recovery.out_of_reach(gaps, as_of):
        _log.warning("gap stays open: %s", words)
    slices = [
        slice_ for slice_ in recovery.plan(request, gaps, as_of, collectors) if recovery.reader_of(slice_) in ready
    ]
    if not slices:
        days = context.params["lookback_days"]
        raise AirflowSkipException(f"no open gap of the last {days} days can be read again")
    return [{"Parameters": slice_} for slice_ in slices]


@task(trigger_rule="all_done_min_one_success")
@result_in_note
def close_gaps(planned: list[Document], summaries: Sequence[JsonObject] | None) -> str:
    """Write into the gap ledger what is recovered now. Raises NotRecovered when a slice is missing."""
    context = run_context()
    collectors = clients.registry().entries()
    names = [entry.name for entry in collectors]
    read = [summary for summary in (summaries[:] if summaries is not None else ()) if summary]
    rows = []
    for name in names:
        own = [summary for summary in read if owner_of(str(summary.get("collector", "")), names) == name]
        if len(own) == sum(recovery.reader_of(slice_["Parameters"]) == name for slice_ in planned):
            rows += _archived(own, name)
    gaps = _gaps(context, collectors, rows)
    for gap in gaps:
        if not gap.left:
            rows.append(_row(gap.collector, gap.source, gap.span, gap.reason, ", ".join(gap.recovered_by)))
    _write(context, rows)
    delivered = sum(summary["delivered"] for summary in read)
    still = sum(bool(gap.left) for gap in gaps)
    words = f"{delivered} posts delivered, {still} gaps stay open"
    if len(read) < len(planned):
        raise NotRecovered(f"{len(planned) - len(read)} of {len(planned)} slices were not read to their end; {words}")
    return words


def _ready(collectors: Sequence[Entry]) -> list[str]:
    """The collectors that are not being deployed. Raises AirflowSkipException when all of them are."""
    markers = {entry.name: clients.observer(entry.name).deploy_marker() for entry in collectors}
    ready = [name for name, marker in markers.items() if marker is None]
    if not ready:
        (since, *_) = [(marker or {}).get("since", "an unknown time") for marker in markers.values()]
        raise AirflowSkipException(f"a deployment has been running since {since}: nothing is read")
    return ready


def _archived(read: Iterable[JsonObject], collector: str) -> list[Document]:
    """A row for each span that archives were read for: a slice is one file of it, and did not tell the ledger."""
    spans = {
        (summary["source"], Span.between(summary["from"], summary["to"]))
        for summary in read
        if summary["recovered_by"] == ARCHIVE
    }
    return [_row(collector, source, span, "backfill", ARCHIVE) for source, span in sorted(spans)]


def _gaps(context: RunContext, collectors: Iterable[Entry], more: Iterable[JsonObject] = ()) -> list[Gap]:
    """The gaps of the ledger that are not marked as recovered, as far back as was asked; `more` are further rows."""
    as_of = context.start_date
    ledgers = Ledgers(clients.client("s3"), RESOURCES.buckets["raw"], RESOURCES.keys["ledgers"])
    # What this run's slices note may fall on the day after it began.
    days = [(as_of - timedelta(days=n)).date().isoformat() for n in range(-1, context.params["lookback_days"] + 1)]
    return open_gaps.unmarked([*ledgers.rows("gaps", days), *more], [entry.name for entry in collectors])


def _write(context: RunContext, rows: Iterable[JsonObject]) -> None:
    """Write the run's rows as its one object of the ledger; nothing when there are none."""
    if lines := "".join(json.dumps(row) + "\n" for row in rows):
        name = f"dt={context.start_date:%Y-%m-%d}/airflow-{context.run.slug}.ndjson"
        key = f"{RESOURCES.keys['ledgers']}gaps/{name}"
        clients.client("s3").put_object(Bucket=RESOURCES.buckets["raw"], Key=key, Body=lines.encode())
        wrote(f"s3://{RESOURCES.buckets['raw']}/{key}")


def _row(collector: str, source: str, span: Span, reason: str, by: str) -> Document:
    """A row of the gap ledger, as the streamer writes them."""
    row = {"source": source, "gap_from": to_text(span.since), "gap_to": to_text(span.until), "reason": reason}
    label = "backfill_posts" if collector == MAIN else backfill_label(collector)
    return {"collector": label, **row, "recovered_by": by, "noted_at": to_text(datetime.now(UTC))}


def _answer(event: JsonObject) -> JsonObject:
    """What the one instance that was asked says of the command."""
    ssm = clients.client("ssm")
    command = str(event["command_id"])
    (invocation,) = ssm.list_command_invocations(CommandId=command)["CommandInvocations"]
    return ssm.get_command_invocation(CommandId=command, InstanceId=invocation["InstanceId"])


def _summary(answer: JsonObject) -> Document:
    """The JSON that the command printed last; empty when it printed none."""
    try:
        summary: Document = json.loads(answer["StandardOutputContent"].strip().splitlines()[-1])
    except (IndexError, ValueError):
        return {}
    return summary
