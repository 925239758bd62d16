"""What a Kafka client reports beside its answers: the last error of its connections, and whether a retry can help."""

import threading
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from postrank.errors import Fatal, Retryable

if TYPE_CHECKING:
    from confluent_kafka import KafkaError

# Error names that no retry changes, and what to do about each (Apache Kafka, "Protocol", error codes).
_ADVICE = {
    "TOPIC_AUTHORIZATION_FAILED": "allow this user to use the topic",
    "GROUP_AUTHORIZATION_FAILED": "allow this user to read with the group that the error names",
    "CLUSTER_AUTHORIZATION_FAILED": "allow this user IdempotentWrite (before Kafka 2.8) or the topic's Write",
    "SASL_AUTHENTICATION_FAILED": "correct user and password, or the role",
    "_AUTHENTICATION": "correct sasl, user and password, or the role",
    "UNKNOWN_TOPIC_OR_PART": "create the topic, or correct its name",
    "_UNKNOWN_TOPIC": "create the topic, or correct its name",
    "_UNKNOWN_PARTITION": "create the topic anew, or correct its name",
    "TOPIC_EXCEPTION": "correct the topic's name",
    "MSG_SIZE_TOO_LARGE": "raise max.message.bytes of the topic above 1,000,000",
    "UNSUPPORTED_SASL_MECHANISM": "choose a sasl mechanism that the listener takes",
}
_UNVERIFIED = "verif"  # OpenSSL's "certificate verify failed", librdkafka's "failed to verify"
_CERTIFICATE_ADVICE = "name the broker's authority as ca_file, and the broker as its certificate does"


class KafkaRefused(Fatal):
    """A cluster refuses what was asked: no such topic, no permission, no valid credentials, no trusted certificate."""

    def __init__(self, what: str, code: str, why: str, advice: str) -> None:
        super().__init__(f"Kafka refuses {what}: {code}: {why}; {advice}")
        self.code = code
        self.advice = advice


class KafkaAway(Retryable):
    """A cluster does not answer, or not yet as it should."""

    def __init__(self, what: str, why: str) -> None:
        super().__init__(f"Kafka does not answer ({what}): {why}")
        self.why = why


@dataclass(slots=True)
class Reports:
    """The last error that a client reported, until something succeeds. Safe for several threads."""

    token_problem: str = ""  # why no IAM token could be signed, when that was so at the last attempt
    _last: "KafkaError | None" = None
    _since: float = 0.0
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def note(self, error: "KafkaError") -> None:
        """Take an error in; librdkafka calls it. That all brokers are away says less than why each of them is."""
        with self._lock:
            if error.name() != "_ALL_BROKERS_DOWN":
                self._last = error
            self._since = self._since or time.monotonic()

    def clear(self) -> None:
        """Something succeeded."""
        with self._lock:
            self._last = None
            self._since = 0.0

    @property
    def away(self) -> bool:
        """Whether the client has reported an error since anything succeeded."""
        with self._lock:
            return self._since > 0.0

    @property
    def last(self) -> str:
        """The last error in words; "" for none."""
        if self.token_problem:
            return self.token_problem
        with self._lock:
            return self._last.str() if self._last else ""

    def refusal(self, what: str) -> KafkaRefused | None:
        """The last error as a refusal, if it is one that no retry changes."""
        with self._lock:
            last = self._last
        return refusal(what, last) if last is not None and not self.token_problem else None

    def problem(self, what: str, error: "KafkaError") -> KafkaRefused | KafkaAway:
        """An error with its cause, which mostly is the last one that was reported; `what` failed."""
        return refusal(what, error) or self.refusal(what) or KafkaAway(what, self.last or error.str())


def refusal(what: str, error: "KafkaError") -> KafkaRefused | None:
    """An error as a refusal; None when a retry may help. `what` failed, for the message."""
    name = error.name()
    if name == "_SSL" and _UNVERIFIED in error.str():
        return KafkaRefused(what, name, error.str(), _CERTIFICATE_ADVICE)
    return KafkaRefused(what, name, error.str(), _ADVICE[name]) if name in _ADVICE else None
