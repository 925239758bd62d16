"""The thread that looks at every alarm as often as its period asks."""

import json
import logging
import queue
import threading
import time

from localaws.core.cloud import AwsError
from localaws.services.cloudwatch.alarms import composite_rules, evaluation
from localaws.services.cloudwatch.alarms.alarm_store import Alarm, AlarmStore
from localaws.services.cloudwatch.alarms.transitions import Transitions
from localaws.services.cloudwatch.metrics.samples import SampleStore

USUAL = 60.0  # seconds between two evaluations; "Using Amazon CloudWatch alarms": once a minute
FINE = 10.0  # the same for periods under a minute
_LEAST = 0.2  # however fast waits run
_KEPT = 15 * 86400  # seconds for which samples are kept; "CloudWatch concepts": one-minute points for 15 days
_TRIM_EVERY = 3600.0

_log = logging.getLogger(__name__)


class Watch:
    """Evaluates alarms until stopped."""

    def __init__(self, samples: SampleStore, alarms: AlarmStore, transitions: Transitions, speed: float) -> None:
        self._samples = samples
        self._alarms = alarms
        self._transitions = transitions
        self._speed = speed
        self._due: dict[str, float] = {}  # alarm -> monotonic moment of its next evaluation
        self._fresh: queue.SimpleQueue[str] = queue.SimpleQueue()
        self._wake = threading.Event()
        self._stopping = False
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        self._thread = threading.Thread(target=self._run, name="cloudwatch-alarms", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        self._stopping = True
        self._wake.set()
        if self._thread is not None:
            self._thread.join()

    def changed(self, name: str | None = None) -> None:
        """An alarm's state was set: composite alarms may follow. With a `name`: that alarm is new or another one."""
        if name is not None:
            self._fresh.put(name)
        self._wake.set()

    def _run(self) -> None:
        trim = 0.0
        while not self._stopping:
            now = time.monotonic()
            if now >= trim:
                self._samples.trim(int((time.time() - _KEPT) * 1000))
                trim = now + _TRIM_EVERY
            self._look()
            self._wake.wait(max(_LEAST, min(self._due.values(), default=now + FINE) - time.monotonic()))
            self._wake.clear()

    def _look(self) -> None:
        """Evaluate what is due, then every composite alarm on the states that came of it."""
        while not self._fresh.empty():
            self._due.pop(self._fresh.get(), None)
        alarms = self._alarms.all()
        now = time.monotonic()
        self._due = {alarm["AlarmName"]: self._due.get(alarm["AlarmName"], now) for alarm in alarms if _own(alarm)}
        for alarm in alarms:
            name = alarm["AlarmName"]
            if _own(alarm) and self._due[name] <= now:
                rhythm = FINE if evaluation.period_of(alarm) < 60 else USUAL
                self._due[name] = now + max(_LEAST, rhythm / self._speed)
                self._evaluate(alarm)
        for alarm in alarms:
            if alarm["Kind"] == "CompositeAlarm":
                self._evaluate_rule(alarm)

    def _evaluate(self, alarm: Alarm) -> None:
        try:
            verdict = evaluation.judge(alarm, evaluation.points(self._samples, alarm, self._speed))
        except AwsError as error:
            _log.warning("alarm %s cannot be evaluated: %s", alarm["AlarmName"], error.message)
            return
        if verdict is None or verdict.state == alarm["StateValue"]:
            return
        data = {
            "version": "1.0",
            "period": evaluation.period_of(alarm),
            "recentDatapoints": [point.value for point in verdict.points],
            "threshold": alarm["Threshold"],
        }
        self._transitions.change(alarm["AlarmName"], verdict.state, verdict.reason, json.dumps(data))

    def _evaluate_rule(self, alarm: Alarm) -> None:
        rule = composite_rules.parse(alarm["AlarmRule"])
        state = "ALARM" if composite_rules.holds(rule, self._state) else "OK"
        if state != alarm["StateValue"]:
            reason = f"{alarm['AlarmArn']} transitioned to {state} as its rule {alarm['AlarmRule']} "
            self._transitions.change(alarm["AlarmName"], state, reason + ("holds" if state == "ALARM" else "does not"))

    def _state(self, name: str) -> str:
        alarm = self._alarms.get(name.split(":alarm:", 1)[-1])
        return str(alarm["StateValue"]) if alarm else "INSUFFICIENT_DATA"


def _own(alarm: Alarm) -> bool:
    """Whether the alarm looks at metrics itself."""
    return bool(alarm["Kind"] == "MetricAlarm")
