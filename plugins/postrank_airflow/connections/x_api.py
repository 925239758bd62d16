"""The one call to X that tasks make themselves: what is trending at a place. The rest of X is the streamer's."""

from typing import Any

import httpx
from airflow.sdk import BaseHook
from airflow.sdk.exceptions import AirflowFailException, AirflowNotFoundException

from postrank.documents import Document
from postrank.errors import Retryable
from postrank.outbound.connections import http_client

CONNECTION = "postrank_x"  # its password is the bearer token; its extra may name `places`
_HOST = "https://api.x.com"
_MOST = 50  # trends (X API, "GET /2/trends/by/woeid/{woeid}", max_trends)
_SECONDS = 30.0


class XAway(Retryable):
    """X cannot be reached, is troubled, or asks to wait."""


def connection() -> Any:
    """The connection to X, or None where there is none."""
    try:
        return BaseHook.get_connection(CONNECTION)
    except AirflowNotFoundException:
        return None


def trends(options: Any, woeid: int) -> Document:
    """X's answer for a place. Raises XAway; AirflowFailException where asking again does not help."""
    url = f"{(options.host or _HOST).rstrip('/')}/2/trends/by/woeid/{woeid}"
    query: Document = {"max_trends": _MOST, "trend.fields": "trend_name,tweet_count"}
    try:
        with http_client(timeout=_SECONDS) as client:
            answer = client.get(url, params=query, headers={"Authorization": f"Bearer {options.password}"})
    except httpx.HTTPError as error:
        raise XAway(f"X did not answer GET {url}: {type(error).__name__}") from None
    if answer.is_success:
        response: Document = answer.json()
        return response
    why = f"X answers {answer.status_code} to GET {url}: {answer.text[:300]}"
    if answer.status_code == httpx.codes.TOO_MANY_REQUESTS or answer.is_server_error:
        raise XAway(f"{why}; its limit ends at {answer.headers.get('x-rate-limit-reset', 'an unknown time')}")
    raise AirflowFailException(why)
