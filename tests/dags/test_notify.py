"""What failed is told to the topic and to a webhook, whose address stays a secret and whose trouble stops nothing."""

import asyncio
import json
import logging
from collections.abc import Iterator

import pytest

from tests.support.fakes.webhook import Webhook, webhook


@pytest.fixture(scope="module")
def hook() -> Iterator[Webhook]:
    with webhook() as running:
        yield running


def tell(monkeypatch, url: str) -> None:
    from postrank_airflow.connections import alerts

    monkeypatch.setenv("AIRFLOW_CONN_POSTRANK_WEBHOOK", json.dumps({"conn_type": "http", "password": url}))
    alerts.tell("Postrank: it\nfailed", 'because of "this" & that')


def published(aws) -> int:
    return sum(call["action"] == "Publish" and call["decision"] == "allowed" for call in aws.call_log())


def test_a_message_reaches_the_topic_and_the_webhook(aws, hook, monkeypatch, caplog):
    before = published(aws)
    with caplog.at_level(logging.DEBUG):
        tell(monkeypatch, f"{hook.url}/services/secret-path")
    assert hook.told[-1] == '*Postrank: it\nfailed*\nbecause of "this" & that'
    assert published(aws) == before + 1
    ours = [record.getMessage() for record in caplog.records if not record.name.startswith(("httpcore", "urllib3"))]
    assert not any("secret-path" in message for message in ours)


@pytest.mark.parametrize("url", ["no-url-secret-path", "http://127.0.0.1:9/secret-path", "{hook}/broken/secret-path"])
def test_a_webhook_in_trouble_is_logged_without_its_address_and_stops_nothing(aws, hook, monkeypatch, caplog, url):
    before = published(aws)
    tell(monkeypatch, url.format(hook=hook.url))
    assert published(aws) == before + 1
    (record,) = [one for one in caplog.records if one.levelname == "ERROR"]
    assert record.getMessage().startswith("post could not send")
    assert "secret-path" not in caplog.text


def test_a_run_that_is_late_is_told(aws, hook, monkeypatch):
    from postrank_airflow.dag.deadlines import late

    monkeypatch.setenv("AIRFLOW_CONN_POSTRANK_WEBHOOK", json.dumps({"conn_type": "http", "password": hook.url}))
    known = {"dag_run": {"dag_id": "rank_authors", "dag_run_id": "scheduled__1"}}  # as the scheduler hands it over
    asyncio.run(late(limit="1:00:00", context=known))
    words = "run scheduled__1 of rank_authors is not finished 1:00:00 after it was queued"
    assert hook.told[-1] == f"*Postrank: rank_authors is late*\n{words}"


def test_a_task_that_fails_is_told_with_its_reason(aws, hook, run_dag, monkeypatch):
    monkeypatch.setenv("AIRFLOW_CONN_POSTRANK_WEBHOOK", json.dumps({"conn_type": "http", "password": hook.url}))
    asked = {"source": "archive", "span_start": None, "span_end": None, "archives": ["a"], "lookback_days": 7}
    run_dag("backfill_posts", **asked, slice_minutes=60, budget_usd=1.0)
    assert "*Postrank: backfill_posts.plan_slices failed*" in hook.told[-1]
    assert "span_start: is needed to read from archive" in hook.told[-1]
