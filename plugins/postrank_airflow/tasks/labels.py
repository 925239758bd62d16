"""The tasks of `label_posts`, and the one of `maintain_lake` that takes deleted posts out of the warehouse.

What they work with is imported when they run: to parse the DAGs takes none of it.
"""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from airflow.sdk import Variable, task
from airflow.sdk.exceptions import AirflowSkipException

from postrank.documents import Document
from postrank.extras import missing_extra
from postrank.options import WrongSettings
from postrank.ranking.lease import LABELS
from postrank_airflow.connections import clients
from postrank_airflow.connections.environment import RESOURCES
from postrank_airflow.connections.run_context import run_context
from postrank_airflow.connections.sql_filters import render
from postrank_airflow.dag.run_note import reason_in_note, result_in_note

if TYPE_CHECKING:
    from postrank.labels.configuration import Configuration
    from postrank.warehouse.loader import Loader


@task
@result_in_note
def new_labels() -> str:
    """Label the posts of arrival hours that the configured model has not labelled yet, and store the labels."""
    configuration = _configuration()
    if configuration.model is None:
        raise AirflowSkipException("no posts labelled: the variable postrank_labels names no model")
    with _extras():
        from postrank.labels.labelling import Labelling
        from postrank.labels.models.registry import labeller_of
        from postrank.labels.models.store import BucketStore

        parts = _parts()
        store = BucketStore(clients.client("s3"), RESOURCES.buckets["artifacts"])
        labelling = Labelling(
            labeller=labeller_of(configuration.model, configuration.options, store),
            budget=configuration.budget,
            assumed_language=configuration.assumed_language,
            **parts,
        )
        return str(labelling.run())


@task(trigger_rule="none_failed")
@result_in_note
def word_counts() -> str:
    """Count the words of posted days whose posts have changed, and store them."""
    configuration = _configuration()
    if configuration.words is None:
        raise AirflowSkipException("no words counted: the variable postrank_labels has no words")
    with _extras():
        from postrank.labels.word_counts import WordCounting

        counting = WordCounting(limits=configuration.words, assumed_language=configuration.assumed_language, **_parts())
        return str(counting.run())


@task
@reason_in_note
def redact_warehouse() -> str:
    """Remove labels of deleted posts from the warehouse, and the words of days that were counted with them."""
    from postrank.labels.deletions import Deletions

    return str(Deletions(**_parts()).run(run_context().start_date))


def _configuration() -> "Configuration":
    """What the variable says. Skips where there is none; raises WrongSettings."""
    from postrank.labels.configuration import VARIABLE, Configuration

    text = Variable.get(VARIABLE, default=None)
    if not text:
        raise AirflowSkipException(f"nothing labelled or counted: there is no variable {VARIABLE}")
    try:
        document = json.loads(text)
    except json.JSONDecodeError as error:
        raise WrongSettings([f"{VARIABLE} must be a JSON object: {error}"]) from error
    if not isinstance(document, dict):
        raise WrongSettings([f"{VARIABLE} must be a JSON object"])
    return Configuration.of(document)


def _parts() -> Document:
    """The lake, the warehouse and the lease. Skips where one of them is absent."""
    from postrank.labels.lake_posts import Lake

    lake = Lake(athena=clients.athena(), catalogue=clients.catalogue(), render=render)
    loader = _loader()
    if not lake.has_posts:
        raise AirflowSkipException("no post has been ranked yet: the view posts does not exist")
    return {"lake": lake, "connect": loader.connect, "statement": loader.statement, "turn": clients.lease(LABELS)}


def _loader() -> "Loader":
    from postrank_airflow.connections import warehouse

    if (loader := warehouse.loader()) is None:
        raise AirflowSkipException(f"there is no warehouse: no connection {warehouse.CONNECTION}")
    return loader


@contextmanager
def _extras() -> Iterator[None]:
    """Say which extra brings a package that is missing. Raises MissingExtra."""
    try:
        yield
    except ModuleNotFoundError as error:
        if (missing := missing_extra(error)) is None:
            raise
        raise missing from error
