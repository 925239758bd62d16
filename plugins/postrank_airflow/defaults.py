"""What every task has unless its DAG says otherwise: an owner, retries with back-off, a limit, someone to tell."""

from datetime import timedelta

from postrank_airflow.notify import FailureNotifier

DEFAULT_ARGS = {
    "on_failure_callback": [FailureNotifier()],
    "owner": "postrank",
    "retries": 2,
    "retry_delay": timedelta(seconds=30),
    "retry_exponential_backoff": True,
    "max_retry_delay": timedelta(minutes=10),
    "execution_timeout": timedelta(minutes=30),
}
