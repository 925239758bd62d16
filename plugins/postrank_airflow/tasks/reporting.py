"""The last task of `rank_authors`: what the ledgers say of the run, and the report for people, beside the export."""

from airflow.sdk import task

from postrank.ranking.export_reader import Results
from postrank.report.exports import Export, Exports
from postrank.report.ledgers import Ledgers
from postrank.report.post_content import export_words
from postrank.report.store import Report
from postrank.report.windows import windows
from postrank_airflow.connections import clients
from postrank_airflow.connections.environment import RESOURCES
from postrank_airflow.connections.run_context import run_context
from postrank_airflow.connections.sql_filters import render
from postrank_airflow.dag.run_note import add_to_note, counted
from postrank_airflow.operators.links import wrote

_COUNTED = {"hour": "hour", "day": "day", "minute": "minute", "all": "interval"}  # the first one that was exported


@task
def write_report() -> str:
    """Export the interval's hashtags, types and text lengths and the run's part of the ledgers, then write the report
    from what was exported. Returns where it is.
    """
    s3 = clients.client("s3")
    run = run_context().run.slug
    results = Results(s3, RESOURCES.buckets["results"])
    ledgers = Ledgers(s3, RESOURCES.buckets["raw"], RESOURCES.keys["ledgers"])
    exports = Exports(results)
    export = exports.open(run)
    ledgers.export(export, results)
    export_words(export, results, clients.athena(), render)
    add_to_note(f"{_ranked(exports, export)}; {_ingested(export)}")
    return wrote(Report(results, run).store())


def _ranked(exports: Exports, export: Export) -> str:
    """How many windows were ranked, and their posts: `ranked 9 hours, 12,048 posts`."""
    per = next((granularity for granularity in _COUNTED if granularity in export.granularities), None)
    if per is None:
        return "ranked no window that holds posts"
    ranked = windows(exports.table(export, per))
    posts = sum(window.posts for window in ranked)
    return f"ranked {counted(len(ranked), _COUNTED[per])}, {counted(posts, 'post')}"


def _ingested(export: Export) -> str:
    """How many lines were ingested, and how many of them are late: `ingested 12,687 lines, 3 late`."""
    lines = sum(export.manifest["arrived_lines"].values())
    if not lines:
        return "nothing new to ingest"
    late = export.manifest["late_lines"]
    return f"ingested {counted(lines, 'line')}, {late:,} late"
