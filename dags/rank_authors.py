"""Rank authors by number of posts, per minute, hour and day and over the whole interval.

**Scheduled**, a run ingests the arrival hour that ended in its data interval and ranks every window again that the
hour's posts, edits and tombstones touched. The newest run also ingests the hours of the last two weeks that no run
ingested. **By hand**, it ingests everything new in the raw zone and ranks every window that overlaps the interval.

Each relation is checked before readers see it: a failed run leaves the previous ranking in place, and a repeated run
gives the same result. A touched minute is a debt (`touched_minutes`) until a default ranking settles it, so a failed
run loses no correction.
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
from postrank_airflow.dag.docs import with_terms
from postrank_airflow.dag.params import RANKING_PARAMS
from postrank_airflow.dag.wiring import group, linked, value_of
from postrank_airflow.operators.athena import CreateTableOperator, StatementOperator
from postrank_airflow.operators.links import LeaderboardLink, ObjectsLink, ReportLink
from postrank_airflow.tasks import ranking, reporting

TERMS = ("Arrival hour", "Event time", "Tombstone", "Touched minute", "Ranking debt", "Pointing", "Revision")
_create = CreateTableOperator.of_file
_select = StatementOperator.of_file


@dag(
    schedule=CronDataIntervalTimetable("15 * * * *", timezone="UTC"),
    start_date=datetime(2026, 1, 1, tz="UTC"),
    catchup=False,
    max_active_runs=1,
    default_args=DEFAULT_ARGS,
    deadline=within(timedelta(hours=1)),
    doc_md=with_terms(__doc__, *TERMS),
    params=RANKING_PARAMS,
    tags=["postrank", "ranking"],
    template_searchpath=[str(SQL)],
    user_defined_filters=SQL_FILTERS,
)
def rank_authors() -> None:
    with group("ingest", "Stage what arrived and find the minutes that it touches"):
        plan = ranking.plan_arrivals.override(inlets=[RAW_POSTS])()
        survey = ranking.survey_arrivals()
        layout = ranking.plan_partitions()
        arrivals = _create("arrivals", "staging/arrivals.sql").expand(params=plan)
        touched = _create("touched_minutes", "staging/touched_minutes.sql").expand(params=survey)
    with group("rank", "Write versions, minutes and ranking; readers see each relation once its check passes"):
        point_versions = ranking.point_versions.override(outlets=[POSTS])()
        point_minutes = ranking.point_minutes()
        point_ranking = ranking.point_ranking.override(inlets=[POSTS], outlets=[RANKING])()
        versions = _create("post_versions", "marts/post_versions.sql").expand(params=layout)
        minutes = _create("author_minutes", "marts/author_minutes.sql").expand(params=point_versions)
        authors = _create("author_ranking", "marts/author_ranking.sql").expand(params=point_minutes)
    with group("export", "Write the ranking's files, its manifest and the report"):
        ranked = _select("ranked_authors", "exports/ranked_authors.sql").expand(params=point_ranking)
        counts = _select("taken_out", "exports/taken_out.sql").expand(params=point_ranking)
        queries = [step.output for step in (arrivals, touched, versions, minutes, authors)]
        publish = ranking.publish_ranking.override(inlets=[RANKING], outlets=[EXPORT])(
            value_of(ranked.output), value_of(counts.output), queries
        )
        report = reporting.write_report()
    linked(publish, LeaderboardLink(), ObjectsLink())
    linked(report, LeaderboardLink(), ReportLink())
    chain(plan, survey, layout, point_versions, point_minutes, point_ranking, publish, report)
    arrivals >> survey
    touched >> layout
    versions >> point_versions
    minutes >> point_minutes
    authors >> point_ranking


rank_authors()
