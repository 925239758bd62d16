"""What every task has unless its DAG says otherwise: an owner, retries with back-off, a limit, someone to tell."""

from datetime import timedelta

from postrank.documents import Document
from postrank.errors import Fatal
from postrank_airflow.connections.alerts import FailureNotifier

try:
    from airflow.sdk import ExceptionRetryPolicy, RetryAction, RetryRule
except ImportError:  # Airflow 3.2, as on Amazon MWAA: there what fails for good is tried again, too
    _POLICY: Document = {}
else:
    _FATAL = RetryRule(exception=Fatal, action=RetryAction.FAIL, reason="only a change mends it")
    _POLICY = {"retry_policy": ExceptionRetryPolicy(rules=[_FATAL])}

LEASE_POLL_SECONDS = 10.0  # between two looks at a lease that another run holds
LEASE_PATIENCE_SECONDS = 6 * 3600.0  # how long a run waits for its turn

DEFAULT_ARGS = {
    "on_failure_callback": [FailureNotifier()],
    "owner": "postrank",
    "retries": 2,
    "retry_delay": timedelta(seconds=30),
    "retry_exponential_backoff": True,
    "max_retry_delay": timedelta(minutes=10),
    "execution_timeout": timedelta(minutes=30),
    **_POLICY,
}
