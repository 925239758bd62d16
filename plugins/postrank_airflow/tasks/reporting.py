"""The last task of `rank_authors`: what the ledgers say of the run, and the report for people, beside the export."""

from airflow.sdk import task

from postrank.ranking.export_reader import Results
from postrank.report.exports import Exports
from postrank.report.ledgers import Ledgers
from postrank.report.post_content import export_words
from postrank.report.store import Report
from postrank_airflow.connections import clients
from postrank_airflow.connections.environment import RESOURCES
from postrank_airflow.connections.run_context import run_context
from postrank_airflow.connections.sql_filters import render


@task
def write_report() -> str:
    """Export the interval's hashtags, types and text lengths and the run's part of the ledgers, then write the report
    from what was exported. Returns where it is.
    """
    s3 = clients.client("s3")
    run = run_context().run.slug
    results = Results(s3, RESOURCES.buckets["results"])
    ledgers = Ledgers(s3, RESOURCES.buckets["raw"], RESOURCES.keys["ledgers"])
    export = Exports(results).open(run)
    ledgers.export(export, results)
    export_words(export, results, clients.athena(), render)
    return Report(results, run).store()
