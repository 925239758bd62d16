"""Addresses of Postrank's pages in the Airflow UI, as links of tasks need them: absolute paths of the api-server."""

from urllib.parse import quote, urlencode

PAGES = "/postrank"
EVIDENCE = f"{PAGES}/aws"  # pages about what tasks left on AWS


def query_page(dag_id: str, query_id: str) -> str:
    return f"{EVIDENCE}/{quote(dag_id, safe='')}/queries/{quote(query_id, safe='')}"


def objects_page(dag_id: str, uri: str) -> str:
    """The page of the objects at or below `uri` (`s3://bucket/key`)."""
    return f"{EVIDENCE}/{quote(dag_id, safe='')}/objects?{urlencode({'uri': uri})}"


def leaderboard(run: str) -> str:
    """The Leaderboard of a run (its name in keys)."""
    return f"{PAGES}/leaderboard?{urlencode({'run': run})}"


def report(run: str) -> str:
    return f"{PAGES}/runs/{quote(run, safe='')}/report"
