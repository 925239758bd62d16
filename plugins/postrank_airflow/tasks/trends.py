"""The tasks of `trending_topics`: rank hashtags, store X's trends by place, load both into Postgres."""

import logging
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from airflow.sdk import PokeReturnValue, task
from airflow.sdk.exceptions import AirflowSkipException

from postrank.documents import Document
from postrank.ranking.arrivals import name_of
from postrank.ranking.lease import TRENDS
from postrank.trends import x_places
from postrank.trends.hashtags import Trends, hour_of, last_ended, put_json
from postrank.trends.x_places import Place
from postrank_airflow.connections import clients, x_api
from postrank_airflow.connections.environment import RESOURCES
from postrank_airflow.connections.run_context import RunContext, run_context
from postrank_airflow.connections.sql_filters import render
from postrank_airflow.dag.defaults import LEASE_PATIENCE_SECONDS, LEASE_POLL_SECONDS
from postrank_airflow.dag.pools import X_TRENDS
from postrank_airflow.dag.run_note import add_to_note, counted, reason_in_note
from postrank_airflow.operators.links import wrote

log = logging.getLogger(__name__)


@task.sensor(mode="reschedule", poke_interval=LEASE_POLL_SECONDS, timeout=LEASE_PATIENCE_SECONDS)
@reason_in_note
def plan_hours() -> PokeReturnValue:
    """Wait for the lease of the hashtags without a worker's slot. Decide on the hours: the one that ended and, unless
    one was asked for, those that late posts have touched. Plans `hashtag_ranking`.
    """
    context = run_context()
    work = _trends(context)
    hour = _hour(context)
    if not work.has_posts:
        raise AirflowSkipException("no post has been ranked yet: the view posts does not exist")
    if not work.begin():
        log.info("the lease of the hashtags is held by run %s", work.lease.holder)
        return PokeReturnValue(is_done=False)
    owed = {} if context.params["hour"] else work.owed()
    hours = [hour, *work.late(hour, owed)]
    context.ti.xcom_push(key="noted", value={"hours": [start.isoformat() for start in hours], "owed": owed})
    return PokeReturnValue(is_done=True, xcom_value=work.plan(hours, context.params["top"]))


@task
@reason_in_note
def point_hashtags() -> list[Document]:
    """Check `hashtag_ranking`, then let everybody read it. Plans the exports."""
    context = run_context()
    hours, owed = _noted(context)
    return _trends(context).point(hours, owed)


@task
@reason_in_note
def publish_hashtags(queries: Sequence[str]) -> list[str]:
    """Write the hours' hashtags to the results bucket. Returns the keys."""
    context = run_context()
    hours, _ = _noted(context)
    work = _trends(context)
    work.end()
    heading = {"dag_id": context.dag_run.dag_id, "run_id": context.dag_run.run_id}
    keys = work.publish(hours, queries[:], heading)
    others = f" and of {counted(len(hours) - 1, 'hour')} with late posts" if len(hours) > 1 else ""
    add_to_note(f"ranked the hashtags of {name_of(hours[0])}{others}")
    wrote(f"s3://{RESOURCES.buckets['results']}/{keys[0].rsplit('/', 1)[0]}/")
    return keys


@task
@reason_in_note
def plan_places() -> list[Document]:
    """Which places to ask X about: the requested ones, else those of the connection. Plans `read_place_trends`."""
    context = run_context()
    if (connection := x_api.connection()) is None:
        raise AirflowSkipException(f"no trends requested from X: there is no connection {x_api.CONNECTION}")
    if _hour(context) != last_ended(context.start_date):
        raise AirflowSkipException("X returns only current trends, and a past hour was requested")
    names = {place.woeid: place for place in Place.configured(connection.extra_dejson.get("places", {}))}
    requested = [names.get(woeid, Place(woeid, str(woeid))) for woeid in context.params["places"]] or names.values()
    if not requested:
        raise AirflowSkipException(f"no trends requested from X: neither the run nor {x_api.CONNECTION} names places")
    add_to_note(f"requested X's trends of {counted(len(requested), 'place')}")
    return [{"woeid": place.woeid, "name": place.name} for place in requested]


@task(pool=X_TRENDS, doc_md="Ask X what is trending at a place, and write it to the results bucket.")
def read_place_trends(place: Document) -> str:
    """Ask X what is trending at a place, and write it to the results bucket. Returns the key."""
    context = run_context()
    requested = Place(**place)
    hour = last_ended(context.start_date)
    answer = x_api.trends(x_api.connection(), requested.woeid)
    key = x_places.key(hour, requested.woeid)
    document = {
        **x_places.document(requested, hour, datetime.now(UTC), answer),
        "run": context.run.slug,
    }
    put_json(clients.client("s3"), RESOURCES.buckets["results"], key, document)
    return key


@task(trigger_rule="none_failed")
def store(results: Any, *, of_places: bool) -> str:
    """Load what was published into the warehouse; all that ever was and is not there, when the run is to rebuild it."""
    rebuild = run_context().params["rebuild"]
    keys = list(results[:]) if results else []
    if not (keys or rebuild):
        raise AirflowSkipException("nothing was published")
    # Not every Airflow that has no warehouse has what loads it.
    from postrank.warehouse.objects import kind_of
    from postrank.warehouse.schema import migrate
    from postrank_airflow.connections import warehouse

    loader = warehouse.loader()
    if loader is None:
        raise AirflowSkipException(f"nothing loaded into Postgres: no connection {warehouse.CONNECTION}")
    with loader.connect() as connection:
        migrate(connection)
    if rebuild:
        kind = "place" if of_places else "hashtags"
        keys += [key for key in loader.missed() if kind_of(key) == kind]
    return f"{loader.load(keys)}"


def _noted(context: RunContext) -> tuple[list[datetime], dict[str, str]]:
    """The hours that `plan_hours` has chosen, and the debt that they pay."""
    noted = context.ti.xcom_pull(task_ids="plan_hours", key="noted")
    return [datetime.fromisoformat(hour) for hour in noted["hours"]], noted["owed"]


def _hour(context: RunContext) -> datetime:
    """The hour that was asked for, or the last one that had ended; a run by hand has no interval of its own."""
    if requested := context.params["hour"]:
        return hour_of(requested)
    return last_ended(context.data_interval[1] if context.data_interval else context.start_date)


def _trends(context: RunContext) -> Trends:
    """The run that this task belongs to."""
    return Trends(
        run=context.run,
        resources=RESOURCES,
        athena=clients.athena(),
        catalogue=clients.catalogue(),
        s3=clients.client("s3"),
        lease=clients.lease(TRENDS),
        render=render,
    )
