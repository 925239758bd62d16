"""The collectors that DAGs are mapped over."""

from airflow.sdk import task

from postrank.aws.resources import MAIN
from postrank_airflow.connections import clients


@task
def list_collectors() -> list[str]:
    """List the collectors of the environment; each is treated by itself from here on."""
    return clients.registry().names()


def named(collector: str, sentence: str) -> str:
    """A sentence about a collector, for a note or an alert; `main` is not named, being the only one most often."""
    return sentence if collector == MAIN else f"{collector}: {sentence}"
