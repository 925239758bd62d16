"""Changes of state: kept, recorded, and told to the alarm's actions.

Source of the notification's form: "Notifying users on alarm changes" (CloudWatch), and of the EC2 actions: "Stop,
terminate, reboot, or recover an instance".
"""

import json
import time
from datetime import UTC, datetime

from localaws.core.cloud import ACCOUNT, REGION, AwsError, Caller, Cloud
from localaws.core.shapes import Structure
from localaws.services.cloudwatch.alarms.alarm_store import Alarm, AlarmStore

_ACTIONS = {"OK": "OKActions", "ALARM": "AlarmActions", "INSUFFICIENT_DATA": "InsufficientDataActions"}
_EC2 = {
    "stop": "StopInstances",
    "terminate": "TerminateInstances",
    "reboot": "RebootInstances",
    "recover": "RebootInstances",  # the host is the user's own: what recovery can do here is to start afresh
}
_TRIGGER = (
    "MetricName",
    "Namespace",
    "Statistic",
    "ExtendedStatistic",
    "Unit",
    "Period",
    "EvaluationPeriods",
    "DatapointsToAlarm",
    "ComparisonOperator",
    "Threshold",
    "TreatMissingData",
    "Metrics",
)


class Transitions:
    """Moves alarms from state to state."""

    def __init__(self, cloud: Cloud, store: AlarmStore) -> None:
        self._cloud = cloud
        self._store = store
        self._caller = Caller(arn=f"arn:aws:iam::{ACCOUNT}:root", source="monitoring")

    def change(self, name: str, state: str, reason: str, data: str = "{}") -> None:
        """Put an alarm into a state; actions run if that is another one than before."""
        with self._store.lock:
            alarm = self._store.get(name)
            if alarm is None:
                return
            old = alarm["StateValue"]
            now = time.time()
            alarm = {
                **alarm,
                "StateValue": state,
                "StateReason": reason,
                "StateReasonData": data,
                "StateUpdatedTimestamp": now,
            }
            if old != state:
                alarm["StateTransitionedTimestamp"] = now
            self._store.save(alarm)
            if old == state:
                return
            self._store.record(
                alarm,
                "StateUpdate",
                f"Alarm updated from {old} to {state}",
                {
                    "version": "1.0",
                    "oldState": {"stateValue": old},
                    "newState": {"stateValue": state, "stateReason": reason},
                },
            )
        if alarm["ActionsEnabled"]:
            for action in alarm[_ACTIONS[state]]:
                self._act(alarm, action, old)

    def _act(self, alarm: Alarm, action: str, old: str) -> None:
        try:
            self._perform(alarm, action, old)
        except AwsError as error:
            summary = f"Failed to execute action {action}. Received error: {error.message!r}"
            data = {"error": error.code}
        else:
            summary = f"Successfully executed action {action}"
            data = {"actionState": "Succeeded"}
        self._store.record(alarm, "Action", summary, data)

    def _perform(self, alarm: Alarm, action: str, old: str) -> None:
        parts = action.split(":")
        if action.startswith("arn:aws:sns:"):
            self._notify(alarm, action, old)
        elif action.startswith("arn:aws:automate:") and parts[-1] in _EC2:
            instance = next(
                dimension["Value"] for dimension in alarm["Dimensions"] if dimension["Name"] == "InstanceId"
            )
            self._cloud.call("ec2", _EC2[parts[-1]], {"InstanceIds": [instance]}, self._caller)
        else:
            raise AwsError("NotSupported", "Locally alarms act on SNS topics and EC2 instances.")

    def _notify(self, alarm: Alarm, topic: str, old: str) -> None:
        subject = f'{alarm["StateValue"]}: "{alarm["AlarmName"]}" in US East (N. Virginia)'
        params = {"TopicArn": topic, "Subject": subject[:100], "Message": json.dumps(_message(alarm, old))}
        self._cloud.call("sns", "Publish", params, self._caller)


def _message(alarm: Alarm, old: str) -> Structure:
    message = {
        "AlarmName": alarm["AlarmName"],
        "AlarmDescription": alarm.get("AlarmDescription"),
        "AWSAccountId": ACCOUNT,
        "AlarmConfigurationUpdatedTimestamp": _stamp(alarm["AlarmConfigurationUpdatedTimestamp"]),
        "NewStateValue": alarm["StateValue"],
        "NewStateReason": alarm["StateReason"],
        "StateChangeTime": _stamp(alarm["StateUpdatedTimestamp"]),
        "Region": "US East (N. Virginia)" if REGION == "us-east-1" else REGION,
        "AlarmArn": alarm["AlarmArn"],
        "OldStateValue": old,
        "OKActions": alarm["OKActions"],
        "AlarmActions": alarm["AlarmActions"],
        "InsufficientDataActions": alarm["InsufficientDataActions"],
    }
    if alarm["Kind"] == "CompositeAlarm":
        return {**message, "AlarmRule": alarm["AlarmRule"]}
    trigger = {name: alarm[name] for name in _TRIGGER if name in alarm}
    trigger["Dimensions"] = [
        {"name": dimension["Name"], "value": dimension["Value"]} for dimension in alarm.get("Dimensions") or []
    ]
    return {**message, "Trigger": trigger}


def _stamp(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3] + "+0000"
