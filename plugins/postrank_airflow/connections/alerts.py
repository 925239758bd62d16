"""Notifications: the alerts topic, and a Slack-compatible webhook where an Airflow connection names one."""

import logging
from collections.abc import Callable

from airflow.sdk import BaseHook, BaseNotifier, Context
from airflow.sdk.exceptions import AirflowNotFoundException

from postrank.outbound.connections import http_client
from postrank_airflow.connections import clients
from postrank_airflow.connections.environment import RESOURCES

WEBHOOK_CONNECTION = "postrank_webhook"  # its password is the URL: whoever has that can post
_SUBJECT_LIMIT = 100  # characters (Amazon SNS API, "Publish")
_SECONDS = 10.0
_log = logging.getLogger(__name__)


def tell(subject: str, message: str) -> None:
    """Send a message to every channel that there is. One that fails is logged: it keeps nobody from healing."""
    channels: tuple[Callable[[str, str], None], ...] = (_publish, _post)
    for channel in channels:
        try:
            channel(subject, message)
        except Exception as error:  # whatever it is: its text may hold the webhook's address
            _log.error("%s could not send %r: %s", channel.__name__.strip("_"), subject, type(error).__name__)


class FailureNotifier(BaseNotifier):
    """Tells which task of which run failed, and why."""

    def notify(self, context: Context) -> None:
        ti = context["ti"]
        reason = context.get("exception") or context.get("reason") or "see the task's log"
        tell(f"Postrank: {ti.dag_id}.{ti.task_id} failed", f"run {ti.run_id}, try {ti.try_number}: {reason}")


def _publish(subject: str, message: str) -> None:
    topic = f"arn:aws:sns:{RESOURCES.region}:{RESOURCES.account}:{RESOURCES.topic}"
    clients.client("sns").publish(TopicArn=topic, Subject=_one_line(subject)[:_SUBJECT_LIMIT], Message=message)


def _post(subject: str, message: str) -> None:
    if (url := _webhook()) is not None:
        # httpx would write the URL into its own log.
        logging.getLogger("httpx").setLevel(logging.WARNING)
        with http_client(timeout=_SECONDS) as client:
            client.post(url, json={"text": f"*{subject}*\n{message}"}).raise_for_status()


def _webhook() -> str | None:
    try:
        url: str | None = BaseHook.get_connection(WEBHOOK_CONNECTION).password
    except AirflowNotFoundException:
        return None
    return url


def _one_line(text: str) -> str:
    return "".join(character if " " <= character <= "~" else " " for character in text)
