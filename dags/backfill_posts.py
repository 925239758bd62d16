"""Close gaps: read a past span again from X's search, Mastodon's timelines, Bluesky's past or archive files.

**By hand with a span**, the run reads that span from the chosen source. **Without a span**, it reads what remains of
the open gaps in the gap ledger.

A slice is one command on its collector's instance, where the token, the budgets and their counts are. Slices run one
at a time, because a network's rate limit is shared; a collector whose slices fail keeps no other from being read.

Posts go through the posts stream like any others: a post that is already in the lake stays one row, and the next
ranking corrects the windows that it belongs to. A gap that is covered is marked as recovered in the ledger.
"""

from datetime import timedelta

from airflow.sdk import dag
from pendulum import datetime

from postrank_airflow.dag.assets import GAPS, RAW_POSTS
from postrank_airflow.dag.deadlines import within
from postrank_airflow.dag.defaults import DEFAULT_ARGS
from postrank_airflow.dag.docs import with_terms
from postrank_airflow.dag.params import BACKFILL_PARAMS
from postrank_airflow.dag.wiring import linked, value_of
from postrank_airflow.operators.links import ObjectsLink
from postrank_airflow.tasks import backfill


@dag(
    schedule=None,
    start_date=datetime(2026, 1, 1, tz="UTC"),
    catchup=False,
    max_active_runs=1,
    default_args={**DEFAULT_ARGS, "retry_delay": timedelta(minutes=2)},
    deadline=within(timedelta(hours=24)),
    doc_md=with_terms(__doc__, "Collector", "Gap", "Slice", "Ledger"),
    params=BACKFILL_PARAMS,
    tags=["postrank", "streamer"],
)
def backfill_posts() -> None:
    planned = backfill.plan_slices.override(inlets=[GAPS])()
    read = backfill.SliceOperator.one_by_one("read_slice", outlets=[RAW_POSTS]).expand(run_command_kwargs=planned)
    linked(backfill.close_gaps.override(outlets=[GAPS])(value_of(planned), value_of(read.output)), ObjectsLink())


backfill_posts()
