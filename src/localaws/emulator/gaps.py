"""Calls that moto knows of and does not answer, answered on its own records, so that the journal has them, too."""

from typing import Any

from localaws.wire.request import HttpRequest


def fill(request: HttpRequest) -> None:
    """Give moto the answer that it lacks to a request; its EC2 is not loaded for any other."""
    if not request.is_form or b"onitorInstances" not in request.body:
        return
    from moto.ec2.responses.monitoring import Monitoring

    Monitoring.monitor_instances = _monitor  # type: ignore[method-assign, assignment]
    Monitoring.unmonitor_instances = _unmonitor  # type: ignore[method-assign, assignment]


def _monitor(response: Any) -> Any:
    """ "MonitorInstances": detailed monitoring of instances."""
    return _monitoring(response, "enabled")


def _unmonitor(response: Any) -> Any:
    """ "UnmonitorInstances": basic monitoring again."""
    return _monitoring(response, "disabled")


def _monitoring(response: Any, state: str) -> Any:
    from moto.core.responses import ActionResult

    response.error_on_dryrun()
    shown = []
    for instance_id in response._get_param("InstanceIds", []):
        response.ec2_backend.get_instance(instance_id).monitoring_state = state
        shown.append({"InstanceId": instance_id, "Monitoring": {"State": state}})
    return ActionResult({"InstanceMonitorings": shown})
