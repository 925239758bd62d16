"""What moto knows of and does not do, done on its own records, so that the journal has it, too."""

import json
from typing import Any

from localaws.core.shapes import Document
from localaws.emulator import absences, partitions, table_versions
from localaws.wire.request import HttpRequest


def fill(request: HttpRequest) -> None:
    """Give moto what it lacks for a request; no service of its own is loaded for the request of another."""
    partitions.install(request)
    table_versions.install(request)
    if not request.is_form:
        return
    absences.install(request)
    if b"onitorInstances" in request.body:
        _monitoring_calls()
    if b"CreateLaunchTemplate" in request.body:
        _launch_templates()
    if b"MasterUserPassword=" in request.body:
        _master_secrets()


def _monitoring_calls() -> None:
    from moto.ec2.responses.monitoring import Monitoring

    Monitoring.monitor_instances = _monitor  # type: ignore[method-assign, assignment]  # replaces moto's
    Monitoring.unmonitor_instances = _unmonitor  # type: ignore[method-assign, assignment]  # replaces moto's


def _monitor(response: Any) -> Any:
    """Answer MonitorInstances: detailed monitoring of instances."""
    return _monitoring(response, "enabled")


def _unmonitor(response: Any) -> Any:
    """Answer UnmonitorInstances: basic monitoring again."""
    return _monitoring(response, "disabled")


def _monitoring(response: Any, state: str) -> Any:
    from moto.core.responses import ActionResult

    response.error_on_dryrun()
    shown = []
    for instance_id in response._get_param("InstanceIds", []):
        response.ec2_backend.get_instance(instance_id).monitoring_state = state
        shown.append({"InstanceId": instance_id, "Monitoring": {"State": state}})
    return ActionResult({"InstanceMonitorings": shown})


def _launch_templates() -> None:
    """Tags of a template itself are no part of its data ("CreateLaunchTemplate", TagSpecifications); moto adds them."""
    from moto.ec2.models.launch_templates import LaunchTemplateVersion

    if "data" in vars(LaunchTemplateVersion):
        return

    def keep(version: Any, data: Document) -> None:
        tags = [
            specification
            for specification in data.get("TagSpecifications") or []
            if specification["ResourceType"] != "launch-template"
        ]
        rest = {name: value for name, value in data.items() if name != "TagSpecifications"}
        version.launch_data = {**rest, "TagSpecifications": tags} if tags else rest

    LaunchTemplateVersion.data = property(lambda version: version.launch_data, keep)  # type: ignore[assignment]  # replaces moto's


def _master_secrets() -> None:
    """Passwords that RDS manages ("Password management with Amazon RDS and AWS Secrets Manager") are drawn, and drawn
    anew when they are rotated; moto's is always the same.
    """
    from moto.rds.models import MasterUserSecret

    def drawn(secret: Any) -> str:
        from moto.moto_api._internal import mock_random

        letters = "abcdefghijkmnpqrstuvwxyzABCDEFGHJKLMNPQRSTUVWXYZ23456789"
        password = "".join(mock_random.choice(letters) for _ in range(32))
        return json.dumps({"username": secret.resource.master_username, "password": password})

    def rotate(secret: Any) -> None:
        secret._status = "rotating"
        current = secret.secret
        secret.secretsmanager._add_secret(
            current.secret_id, secret_string=drawn(secret), description=current.description, tags=current.tags
        )

    MasterUserSecret._generate_secret_string = drawn  # type: ignore[method-assign, assignment]  # replaces moto's
    MasterUserSecret.rotate_secret = rotate  # type: ignore[method-assign, assignment]  # replaces moto's
