"""The redaction in `maintain_lake`: planned, approved above a threshold, raw lines and Parquet rows, evidence; and
what `check_compliance` does before: the ids of X's posts and their authors, which X checks on a collector's host.
"""

from collections.abc import Sequence
from datetime import timedelta

from airflow.providers.standard.operators.hitl import ApprovalOperator
from airflow.sdk import TaskGroup, task
from airflow.sdk.exceptions import AirflowSkipException

from postrank.collectors.registry import Entry
from postrank.documents import Document, JsonObject
from postrank.gaps.request import COMPLIANCE, COMPLIANCE_OF_USERS, compliance_slice
from postrank.lake.redaction.compliance_ids import POSTS_FILE, USERS_FILE, ComplianceIds
from postrank.lake.redaction.steps import Redaction
from postrank.lake.redaction.undelivered_lines import Elsewhere
from postrank.ranking.lease import LABELS, RANKING, TRENDS
from postrank_airflow.connections import clients
from postrank_airflow.connections.environment import RESOURCES
from postrank_airflow.connections.run_context import RunContext, run_context
from postrank_airflow.connections.sql_filters import render
from postrank_airflow.dag.assets import POSTS
from postrank_airflow.dag.run_note import add_to_note, counted, note_count, reason_in_note, result_in_note
from postrank_airflow.dag.wiring import group, linked
from postrank_airflow.operators.athena import CreateTableOperator
from postrank_airflow.operators.links import ObjectsLink, wrote

PATIENCE = timedelta(hours=11)  # a run that nobody answers ends before the next one is due


def redact_deleted_posts() -> TaskGroup:
    """Wire the tasks up. Returns their group."""
    with group("redact", "Remove author and text of deleted posts from the lake and the raw zone") as tasks:
        _redaction_tasks()
    return tasks


def _redaction_tasks() -> None:
    planned = plan_redaction()
    decided = choose_redaction()
    dates = begin_redaction()
    approved = ApprovalOperator(
        task_id="approve_redaction",
        subject="Redact {{ ti.xcom_pull(task_ids='plan_redaction', key='posts') }} deleted posts?",
        body="There are more than `approved_posts`. Approving removes their Parquet rows and raw lines for good. The "
        "view `tombstones` shows the deletions that arrived. Rejecting keeps the posts until the next run asks again.",
        response_timeout=PATIENCE,
        execution_timeout=None,
        retries=0,
        doc_md="Ask a person to approve the redaction (Required Actions).",
    )
    rewritten = CreateTableOperator.of_file(
        "redacted_versions",
        "maintenance/redacted_versions.sql",
    )
    finished = linked(finish_redaction.override(outlets=[POSTS])(), ObjectsLink())
    planned >> decided >> [approved, dates]
    approved >> dates
    dates >> rewritten.expand(params=planned) >> finished
    redact_raw.expand(date=dates) >> finished


@task
@reason_in_note
def plan_redaction() -> list[Document]:
    """End what earlier runs began; find the deleted posts that the lake still holds. Plans `redacted_versions`."""
    context = run_context()
    plan = _redaction(context).plan()
    if not plan.count:
        raise AirflowSkipException("no deleted post is left to redact")
    context.ti.xcom_push(key="posts", value=plan.count)
    return plan.statements


@task.branch
def choose_redaction() -> str:
    """Whether a human has to approve."""
    context = run_context()
    posts = context.ti.xcom_pull(task_ids="plan_redaction", key="posts")
    return "approve_redaction" if posts > context.params["approved_posts"] else "begin_redaction"


@task(trigger_rule="none_failed_min_one_success")
def begin_redaction() -> list[str]:
    """From here on the plan will be carried out, by this run or the next. Plans `redact_raw`."""
    context = run_context()
    answer = context.ti.xcom_pull(task_ids="approve_redaction") or {}
    return _redaction(context).begin((answer.get("responded_by_user") or {}).get("name"))


@task(doc_md="Put stubs in the place of the deleted posts' lines that arrived on a date.")
def redact_raw(date: str) -> str:
    """Put stubs in the place of the deleted posts' lines that arrived on a date."""
    return f"{_redaction(run_context()).rewrite_raw(date)} lines of {date} redacted"


@task
@reason_in_note
def finish_redaction() -> str:
    """Check and point at the partitions without deleted posts, empty those with them, write the evidence."""
    context = run_context()
    evidence = _redaction(context).finish()
    posts = context.ti.xcom_pull(task_ids="plan_redaction", key="posts")
    note_count(posts, "deleted post", "redacted")
    return wrote(evidence)


@task
@reason_in_note
def redact_undelivered() -> str:
    """Take deleted posts out of error records of Firehose, lines that broke the contract, and original JSON."""
    elsewhere = Elsewhere(**_parts(run_context()))
    return note_count(elsewhere.redact(), "object", "of error records, rejects and original JSON redacted")


@task
@reason_in_note
def list_post_ids() -> list[Document]:
    """List the ids of the posts of X that the lake holds, and of their authors. Plans the commands of one collector
    that reads X.
    """
    collector = _reader_of_x(clients.registry().entries())
    if collector is None:
        raise AirflowSkipException("no collector reads X: there is nothing to check")
    ids = ComplianceIds(
        athena=clients.athena(),
        catalogue=clients.catalogue(),
        s3=clients.client("s3"),
        bucket=RESOURCES.buckets["raw"],
    )
    if not (posts := ids.write(POSTS_FILE)):
        raise AirflowSkipException("the lake holds no post of X")
    users = ids.write(USERS_FILE)
    add_to_note(f"X checks {counted(posts, 'post')} and {counted(users, 'user')}")
    start = run_context().start_date
    return [
        {"Parameters": compliance_slice(source, file, start, collector)}
        for source, file in ((COMPLIANCE, POSTS_FILE), (COMPLIANCE_OF_USERS, USERS_FILE))
    ]


@task
@result_in_note
def count_deletions(summaries: Sequence[JsonObject]) -> str:
    """Say how many posts, and users with all their posts, X wants deleted; `maintain_lake` redacts them."""
    posts, users = (summary["delivered"] for summary in summaries[:])
    return f"{counted(posts, 'post')} and {counted(users, 'user')} must go"


def _reader_of_x(collectors: Sequence[Entry]) -> str | None:
    """The first collector that is known to read X."""
    return next((entry.name for entry in collectors if entry.source == "x"), None)


def _redaction(context: RunContext) -> Redaction:
    return Redaction(**_parts(context), leases=[clients.lease(name) for name in (RANKING, TRENDS, LABELS)])


def _parts(context: RunContext) -> Document:
    return {
        "catalogue": clients.catalogue(),
        "run": context.run,
        "as_of": context.start_date,
        "resources": RESOURCES,
        "athena": clients.athena(),
        "s3": clients.client("s3"),
        "render": render,
    }
