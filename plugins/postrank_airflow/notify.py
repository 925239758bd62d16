"""Telling humans: the alerts topic, and a Slack-compatible webhook where an Airflow connection names one."""

import json
from typing import Any
from urllib.request import Request, urlopen

from airflow.exceptions import AirflowNotFoundException
from airflow.sdk import BaseHook, BaseNotifier, Context

from postrank_airflow import clients
from postrank_airflow.names import RESOURCES

WEBHOOK_CONNECTION = "postrank_webhook"  # its password is the URL: whoever has that can post
_SUBJECT_LIMIT = 100  # characters (Amazon SNS API, "Publish")
_SECONDS = 10


def tell(subject: str, message: str) -> None:
    """Send a message to every channel that there is."""
    topic = f"arn:aws:sns:{RESOURCES.region}:{RESOURCES.account}:{RESOURCES.topic}"
    clients.client("sns").publish(TopicArn=topic, Subject=_one_line(subject)[:_SUBJECT_LIMIT], Message=message)
    if (url := _webhook()) is not None:
        body = json.dumps({"text": f"*{subject}*\n{message}"}).encode()
        request = Request(url, body, {"Content-Type": "application/json"})  # noqa: S310 (the operator's own URL)
        with urlopen(request, timeout=_SECONDS):  # noqa: S310
            pass


class FailureNotifier(BaseNotifier):
    """Tells which task of which run failed, and why."""

    def notify(self, context: Context) -> None:
        ti = context["ti"]
        reason = context.get("exception") or context.get("reason") or "see the task's log"
        tell(f"Postrank: {ti.dag_id}.{ti.task_id} failed", f"run {ti.run_id}, try {ti.try_number}: {reason}")


def _webhook() -> str | None:
    try:
        connection: Any = BaseHook.get_connection(WEBHOOK_CONNECTION)
    except AirflowNotFoundException:
        return None
    return connection.password


def _one_line(text: str) -> str:
    return "".join(one if " " <= one <= "~" else " " for one in text)
