"""Read a span of time again, to close a gap: X's recent search, Mastodon's timelines, files of an archive.

**By hand with a span**, it reads that from the chosen source. **Without one**, it reads what is left of the open gaps
in the gap ledger. A slice is one command on the streamer's instance, where the token, the budgets and their counts
are; slices run one after the other, since a network's rate limit is one for all. What is read goes through the
posts stream like any other post: a post that was there already stays one row, and the next ranking corrects the
windows that it belongs to. A gap that is covered is marked as recovered in the ledger.
"""

from datetime import timedelta

from airflow.sdk import dag
from pendulum import datetime

from postrank_airflow.dag.assets import GAPS, RAW_POSTS
from postrank_airflow.dag.deadlines import within
from postrank_airflow.dag.defaults import DEFAULT_ARGS
from postrank_airflow.dag.params import BACKFILL_PARAMS
from postrank_airflow.tasks import backfill


@dag(
    schedule=None,
    start_date=datetime(2026, 1, 1, tz="UTC"),
    catchup=False,
    max_active_runs=1,
    default_args={**DEFAULT_ARGS, "retry_delay": timedelta(minutes=2)},
    deadline=within(timedelta(hours=24)),
    doc_md=__doc__,
    params=BACKFILL_PARAMS,
    tags=["postrank", "streamer"],
)
def backfill_posts() -> None:
    planned = backfill.plan.override(inlets=[GAPS])()
    read = backfill.SliceOperator.one_by_one("read_slice", outlets=[RAW_POSTS]).expand(run_command_kwargs=planned)
    backfill.mark.override(outlets=[GAPS])(planned, read.output)


backfill_posts()
