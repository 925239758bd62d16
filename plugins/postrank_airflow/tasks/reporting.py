"""The last task of `rank_authors`: what the ledgers say of the run, and the report for people, beside the export."""

from airflow.sdk import get_current_context, task

from postrank.report.exports import Exports
from postrank.report.ledgers import Ledgers
from postrank.report.store import Report
from postrank.report.words import export_words
from postrank.results.reader import Results
from postrank.results.run import Run
from postrank_airflow import clients
from postrank_airflow.names import RESOURCES
from postrank_airflow.templating import render


@task
def report() -> str:
    """Export the interval's hashtags, types and text lengths and the run's part of the ledgers, then write the report
    from what was exported. Returns where it is.
    """
    s3, run = clients.client("s3"), Run(get_current_context()["dag_run"].run_id).slug
    results = Results(s3, RESOURCES.buckets["results"])
    ledgers = Ledgers(s3, RESOURCES.buckets["raw"], RESOURCES.keys["ledgers"])
    export = Exports(results).open(run)
    ledgers.export(export, results)
    export_words(export, results, clients.athena(), render)
    return Report(results, run).store()
