"""Rank the hour's hashtags by how far they rise above the week before, and store X's own trends.

**Hashtags**: runs half an hour after `rank_authors`, on the posts that are in the lake by then. Hours of the previous
week that late posts have touched are ranked again. Each relation is checked before readers see it; a repeat replaces
an hour's result.

**Places**: X's current trends by place, if the connection `postrank_x` has a bearer token and names places
(`{"places": {"1": "Worldwide"}}` in its extra).

Both are JSON in the results bucket, which is authoritative. With a connection `postrank_warehouse`, the warehouse gets
the same rows at once; `rebuild` loads all that it lacks.
"""

from datetime import timedelta

from airflow.sdk import chain, dag
from airflow.timetables.interval import CronDataIntervalTimetable
from pendulum import datetime

from postrank_airflow.connections.environment import SQL
from postrank_airflow.connections.sql_filters import SQL_FILTERS
from postrank_airflow.dag.assets import POSTS, TRENDS
from postrank_airflow.dag.deadlines import within
from postrank_airflow.dag.defaults import DEFAULT_ARGS
from postrank_airflow.dag.docs import with_terms
from postrank_airflow.dag.params import TRENDS_PARAMS
from postrank_airflow.dag.wiring import group, linked, value_of
from postrank_airflow.operators.athena import CreateTableOperator, StatementOperator
from postrank_airflow.operators.links import ObjectsLink
from postrank_airflow.tasks import trends


@dag(
    schedule=CronDataIntervalTimetable("45 * * * *", timezone="UTC"),
    start_date=datetime(2026, 1, 1, tz="UTC"),
    catchup=False,
    max_active_runs=1,
    default_args=DEFAULT_ARGS,
    deadline=within(timedelta(hours=1)),
    doc_md=with_terms(__doc__, "Event time", "Arrival hour", "Pointing"),
    params=TRENDS_PARAMS,
    tags=["postrank", "ranking"],
    template_searchpath=[str(SQL)],
    user_defined_filters=SQL_FILTERS,
)
def trending_topics() -> None:
    with group("hashtags", "Rank the hour's hashtags, and earlier hours that late posts have touched"):
        plan = trends.plan_hours.override(inlets=[POSTS])()
        point = trends.point_hashtags()
        ranking = CreateTableOperator.of_file("hashtag_ranking", "marts/hashtag_ranking.sql").expand(params=plan)
        export = StatementOperator.of_file("trending_hashtags", "exports/trending_hashtags.sql").expand(params=point)
        published = trends.publish_hashtags.override(outlets=[TRENDS])(value_of(export.output))
        trends.store.override(task_id="store_hashtags")(published, of_places=False)
    with group("places", "Store X's own trends by place, if the run has a connection to X"):
        heard = trends.read_place_trends.override(outlets=[TRENDS]).expand(place=trends.plan_places())
        trends.store.override(task_id="store_places")(heard, of_places=True)

    linked(published, ObjectsLink())
    chain(ranking, point, export, published)


trending_topics()
