"""Rank the hashtags of the hour by how far they rise above the week before.

It runs half an hour after `rank_authors`, on the posts that are in the lake by then: a trend is of its moment, and
posts that come later do not change it unless the hour is ranked again by hand. Nothing is read by others before it
was checked; a repeat replaces the hour's answer.
"""

from airflow.sdk import Asset, chain, dag
from airflow.timetables.interval import CronDataIntervalTimetable
from pendulum import datetime

from postrank_airflow import trends
from postrank_airflow.defaults import DEFAULT_ARGS
from postrank_airflow.names import RESOURCES, SQL
from postrank_airflow.operators import CreateTableOperator, StatementOperator
from postrank_airflow.templating import SQL_FILTERS

TRENDS = Asset(name="trends", uri=f"s3://{RESOURCES.buckets['results']}/trends/")


@dag(
    schedule=CronDataIntervalTimetable("45 * * * *", timezone="UTC"),
    start_date=datetime(2026, 1, 1, tz="UTC"),
    catchup=False,
    max_active_runs=1,
    default_args=DEFAULT_ARGS,
    doc_md=__doc__,
    params=trends.PARAMS,
    tags=["postrank", "ranking"],
    template_searchpath=[str(SQL)],
    user_defined_filters=SQL_FILTERS,
)
def trending_topics() -> None:
    plan, point = trends.plan(), trends.point()
    ranking = CreateTableOperator.of_file("hashtag_ranking", "marts/hashtag_ranking.sql").expand(params=plan)
    export = StatementOperator.of_file("trending_hashtags", "exports/trending_hashtags.sql").expand(params=point)
    chain(ranking, point, export, trends.publish.override(outlets=[TRENDS])(export.output))


trending_topics()
