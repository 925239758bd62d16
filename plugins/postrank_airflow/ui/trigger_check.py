"""The api-server's check of triggers: a run that its DAG's rules refuse is never made, and who asks is told why.

Airflow holds each param to its own JSON schema when a run is triggered, and knows no rule over two of them: that an
interval ends after it starts. The plugin's middleware asks first, whoever triggers: the form, the REST API, a backfill,
a task of another DAG. (`airflow dags trigger` writes into Airflow's database by itself; there the run's first task
fails, once, with the same sentence.)
"""

import json
import re
from typing import Any

from postrank.documents import Document

# The requests that make runs, and where their bodies name the DAG, where not the path, and the params.
_TRIGGERS = (
    (re.compile(r"/api/v2/dags/(?P<dag>[^/]+)/dagRuns$"), "conf"),
    (re.compile(r"/execution/dag-runs/(?P<dag>[^/]+)/[^/]+$"), "conf"),
    (re.compile(r"/api/v2/backfills$"), "dag_run_conf"),
)


class TriggerCheck:
    """ASGI middleware around the api-server. Requests that trigger nothing pass it unread."""

    def __init__(self, app: Any) -> None:
        self._app = app

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        matches = [
            (match, field) for path, field in _TRIGGERS if _posts(scope) and (match := path.search(scope["path"]))
        ]
        if not matches:
            await self._app(scope, receive, send)
            return
        messages = [await receive()]
        while messages[-1].get("more_body"):
            messages.append(await receive())
        match, field = matches[0]
        body = _json(b"".join(message.get("body", b"") for message in messages))
        reason = _refusal(match.groupdict().get("dag") or body.get("dag_id"), body.get(field))
        if reason is None:
            await self._app(scope, _again(messages, receive), send)
        else:
            await _refuse(reason, send)


def _posts(scope: Any) -> bool:
    return bool(scope["type"] == "http" and scope["method"] == "POST")


def _json(body: bytes) -> Document:
    """The object that a body holds; an empty one where it holds none, of which Airflow itself says what is wrong."""
    try:
        document = json.loads(body)
    except ValueError:
        return {}
    return document if isinstance(document, dict) else {}


def _refusal(dag_id: Any, conf: Any) -> str | None:
    # Every process of Airflow loads the plugin; only the one that is asked needs the rules.
    from postrank_airflow.dag.trigger_rules import refusal

    return refusal(dag_id, conf)


async def _refuse(reason: str, send: Any) -> None:
    """Answer as Airflow does where a param breaks its schema."""
    body = json.dumps({"detail": reason}).encode()
    headers = [(b"content-type", b"application/json"), (b"content-length", str(len(body)).encode())]
    await send({"type": "http.response.start", "status": 400, "headers": headers})
    await send({"type": "http.response.body", "body": body})


def _again(messages: list[Any], receive: Any) -> Any:
    """What `receive` gave, once more, then what it gives."""
    left = iter(messages)

    async def repeat() -> Any:
        return next(left, None) or await receive()

    return repeat
