"""Rank authors by how much they posted, per minute, hour, day and over the whole interval.

**Scheduled**, it ingests the arrival hour that ended in its data interval, and ranks again every window that the
hour's posts, edits and tombstones touched. **By hand**, it ingests whatever is new in the raw zone and ranks every
window that the asked interval meets.

Nothing is read by others before it was checked: a failed run leaves the old answer, a repeated one gives the same
again. A touched minute is owed (`touched_minutes`) until a default ranking pays for it, so no correction is lost
with a run that failed.
"""

from datetime import timedelta

from airflow.sdk import chain, dag
from airflow.timetables.interval import CronDataIntervalTimetable
from pendulum import datetime

from postrank_airflow.connections.environment import SQL
from postrank_airflow.connections.sql_filters import SQL_FILTERS
from postrank_airflow.dag.assets import EXPORT, POSTS, RANKING, RAW_POSTS
from postrank_airflow.dag.deadlines import within
from postrank_airflow.dag.defaults import DEFAULT_ARGS
from postrank_airflow.dag.params import RANKING_PARAMS
from postrank_airflow.operators.athena import CreateTableOperator, StatementOperator
from postrank_airflow.tasks import ranking, reporting

_create, _select = CreateTableOperator.of_file, StatementOperator.of_file


@dag(
    schedule=CronDataIntervalTimetable("15 * * * *", timezone="UTC"),
    start_date=datetime(2026, 1, 1, tz="UTC"),
    catchup=False,
    max_active_runs=1,
    default_args=DEFAULT_ARGS,
    deadline=within(timedelta(hours=1)),
    doc_md=__doc__,
    params=RANKING_PARAMS,
    tags=["postrank", "ranking"],
    template_searchpath=[str(SQL)],
    user_defined_filters=SQL_FILTERS,
)
def rank_authors() -> None:
    plan, survey, layout = ranking.plan.override(inlets=[RAW_POSTS])(), ranking.survey(), ranking.layout()
    point_versions = ranking.point_versions.override(outlets=[POSTS])()
    point_minutes = ranking.point_minutes()
    point_ranking = ranking.point_ranking.override(inlets=[POSTS], outlets=[RANKING])()

    arrivals = _create("arrivals", "staging/arrivals.sql").expand(params=plan)
    touched = _create("touched", "staging/touched_minutes.sql").expand(params=survey)
    versions = _create("post_versions", "marts/post_versions.sql").expand(params=layout)
    minutes = _create("author_minutes", "marts/author_minutes.sql").expand(params=point_versions)
    authors = _create("author_ranking", "marts/author_ranking.sql").expand(params=point_minutes)
    ranked = _select("ranked_authors", "exports/ranked_authors.sql").expand(params=point_ranking)
    counts = _select("taken_out", "exports/taken_out.sql").expand(params=point_ranking)
    queries = [one.output for one in (arrivals, touched, versions, minutes, authors)]
    publish = ranking.publish.override(inlets=[RANKING], outlets=[EXPORT])(ranked.output, counts.output, queries)

    chain(plan, survey, layout, point_versions, point_minutes, point_ranking, publish, reporting.report())
    arrivals >> survey
    touched >> layout
    versions >> point_versions
    minutes >> point_minutes
    authors >> point_ranking


rank_authors()
