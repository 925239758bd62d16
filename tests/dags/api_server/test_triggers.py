"""What a run is triggered with is checked as a whole by the api-server, before there is a run."""

import asyncio
import json

import httpx
import pytest
from fastapi import FastAPI, Request

BACKWARDS = {"interval_start": "2026-11-24T06:00:00Z", "interval_end": "2026-11-24T05:00:00Z"}
RANK = "/api/v2/dags/rank_authors/dagRuns"


@pytest.fixture
def post():
    """Posts to an api-server that says what reached it."""
    from postrank_airflow.ui.trigger_check import TriggerCheck

    app = FastAPI()
    app.add_middleware(TriggerCheck)

    @app.post("/{path:path}")
    async def reached(request: Request) -> object:
        return {"body": (await request.body()).decode()}

    def send(path, body):
        async def asked():
            transport = httpx.ASGITransport(app=app)
            async with httpx.AsyncClient(transport=transport, base_url="http://airflow") as client:
                return await client.post(path, content=body if isinstance(body, bytes) else json.dumps(body))

        return asyncio.run(asked())

    return send


@pytest.mark.parametrize(
    ("dag", "conf", "sentence"),
    [
        ("rank_authors", BACKWARDS, "interval_end: 2026-11-24T05:00:00Z is not after interval_start, 2026-11-24T06:"),
        ("rank_authors", {**BACKWARDS, "interval_end": BACKWARDS["interval_start"]}, "is not after interval_start"),
        ("rank_authors", {"interval_start": "2026-11-24T06:00:30Z"}, "is not a whole minute"),
        ("backfill_posts", {"source": "mastodon"}, "span_start: is needed to read from mastodon"),
        ("backfill_posts", {"archives": ["a.ndjson"]}, "archives: files are for the source archive"),
        ("backfill_posts", {"span_start": "2026-11-24T06:00:00Z"}, "the ledger names its own spans"),
        ("trending_topics", {"hour": "2026-11-24T06:30:00Z"}, "hour: '2026-11-24T06:30:00Z' is not a whole hour"),
    ],
)
def test_params_that_do_not_go_together_are_refused_with_the_reason(post, dag, conf, sentence):
    answer = post(f"/api/v2/dags/{dag}/dagRuns", {"logical_date": None, "conf": conf})
    assert answer.status_code == 400
    assert sentence in answer.json()["detail"]


def test_backfills_and_tasks_of_other_dags_are_asked_the_same(post):
    backfill = post("/api/v2/backfills", {"dag_id": "rank_authors", "dag_run_conf": BACKWARDS})
    task = post("/execution/dag-runs/rank_authors/any-run", {"conf": BACKWARDS})
    assert (backfill.status_code, task.status_code) == (400, 400)


@pytest.mark.parametrize(
    ("path", "body"),
    [
        (RANK, {"logical_date": None, "conf": {"interval_start": "2026-11-24T05:00:00Z"}}),
        (RANK, {"logical_date": None, "conf": None}),
        (RANK, {"logical_date": None, "conf": {**BACKWARDS, "top": "many"}}),  # which Airflow refuses
        (RANK, {"logical_date": None, "conf": {"a note": "of somebody's own"}}),
        (RANK, b"not json"),
        (RANK, [1]),
        ("/api/v2/backfills", {"dag_id": ["no name"], "dag_run_conf": 1}),
        ("/api/v2/dags/somebody_elses/dagRuns", {"conf": BACKWARDS}),
        (f"{RANK}/list", {"conf": BACKWARDS}),
        (RANK, b'{"conf": {"note": "' + b"x" * 300_000 + b'"}}'),
    ],
    ids=lambda value: None if isinstance(value, str) else repr(value)[:40],
)
def test_whatever_else_is_asked_reaches_airflow_as_it_was(post, path, body):
    answer = post(path, body)
    assert answer.status_code == 200
    assert answer.json()["body"] == (body.decode() if isinstance(body, bytes) else json.dumps(body))


def test_what_fails_for_good_is_not_tried_again():
    from airflow.sdk import RetryAction

    from postrank.ranking.publish import CheckFailed
    from postrank_airflow.dag.defaults import DEFAULT_ARGS
    from postrank_airflow.tasks.catalog import CrawlFailed

    policy = DEFAULT_ARGS["retry_policy"]
    actions = [
        policy.evaluate(error, 1, 3).action
        for error in (CheckFailed("posts", [{"rows": 1}]), CrawlFailed("raw", "FAILED", ""), OSError())
    ]
    assert actions == [RetryAction.FAIL, RetryAction.DEFAULT, RetryAction.DEFAULT]
