"""Deletions of what is deleted already: the errors that EC2 and IAM document for them where moto has others.

A client whose first attempt succeeded recognises such an error as "already gone"; any other one fails it.
Sources: "Error codes for the Amazon EC2 API"; "DeleteVpcEndpoints" (EC2) and "RemoveRoleFromInstanceProfile" (IAM).
"""

from functools import cache
from typing import Any

from localaws.core.shapes import Document
from localaws.wire.request import HttpRequest


def install(request: HttpRequest) -> None:
    """Patch moto for the action of a request; no service is imported for the request of another."""
    for action, patch in _PATCHES.items():
        if action in request.body:
            patch()


@cache
def _launch_templates() -> None:
    """A launch template that is absent is named as the request named it: by its id or by its name."""
    from moto.ec2.models.launch_templates import LaunchTemplateBackend

    delete = LaunchTemplateBackend.delete_launch_template

    def delete_present(backend: Any, name: str, tid: str | None) -> Any:
        if name:
            backend.get_launch_template_by_name(name)
        elif tid:
            backend.get_launch_template(tid)
        return delete(backend, name, tid)

    LaunchTemplateBackend.delete_launch_template = delete_present  # type: ignore[method-assign, assignment]  # replaces moto's


@cache
def _security_group_rules() -> None:
    """Rules that are revoked by id are missed by id."""
    from moto.ec2.models.security_groups import SecurityGroupBackend

    for method, rules in (
        ("revoke_security_group_ingress", "ingress_rules"),
        ("revoke_security_group_egress", "egress_rules"),
    ):
        setattr(SecurityGroupBackend, method, _revoking(getattr(SecurityGroupBackend, method), rules))


def _revoking(revoke: Any, rules: str) -> Any:
    def revoke_present(backend: Any, **params: Any) -> Any:
        from moto.ec2.exceptions import InvalidSecurityGroupRuleIdNotFoundError

        group = backend.get_security_group_by_name_or_id(params["group_name_or_id"], params.get("vpc_id"))
        present = {rule.id for rule in getattr(group, rules, ())}
        for rule_id in params.get("security_rule_ids") or []:
            if group is not None and rule_id not in present:
                raise InvalidSecurityGroupRuleIdNotFoundError(rule_id)
        return revoke(backend, **params)

    return revoke_present


@cache
def _vpc_endpoints() -> None:
    """Endpoints without route tables can be deleted, deleted ones again; absent ones are listed as unsuccessful."""
    from moto.core.responses import ActionResult
    from moto.ec2.models.vpcs import VPCBackend
    from moto.ec2.responses.vpcs import VPCs

    delete = VPCBackend.delete_vpc_endpoints

    def delete_present(backend: Any, vpce_ids: list[str] | None = None) -> None:
        endpoints = [backend.vpc_end_points[name] for name in vpce_ids or [] if name in backend.vpc_end_points]
        standing = [endpoint for endpoint in endpoints if endpoint.state != "deleted"]
        for endpoint in standing:
            endpoint.vpc_endpoint_type = endpoint.vpc_endpoint_type or "Gateway"
            endpoint.route_table_ids = endpoint.route_table_ids or []
        delete(backend, [endpoint.id for endpoint in standing])

    def respond(response: Any) -> Any:
        names = response._get_param("VpcEndpointIds", [])
        absent = [name for name in names if name not in response.ec2_backend.vpc_end_points]
        response.ec2_backend.delete_vpc_endpoints(vpce_ids=names)
        return ActionResult({"Unsuccessful": [_unsuccessful(name) for name in absent]})

    VPCBackend.delete_vpc_endpoints = delete_present  # type: ignore[method-assign, assignment]  # replaces moto's
    VPCs.delete_vpc_endpoints = respond  # type: ignore[method-assign, assignment]  # replaces moto's


def _unsuccessful(endpoint: str) -> Document:
    message = f"The Vpc Endpoint Id '{endpoint}' does not exist"
    return {"ResourceId": endpoint, "Error": {"Code": "InvalidVpcEndpointId.NotFound", "Message": message}}


@cache
def _instance_profiles() -> None:
    """A role that is not in an instance profile is an entity that does not exist there."""
    from moto.iam.exceptions import NotFoundException
    from moto.iam.models import IAMBackend

    remove = IAMBackend.remove_role_from_instance_profile

    def remove_present(backend: Any, profile_name: str, role_name: str) -> None:
        profile = backend.get_instance_profile(profile_name)
        if role_name not in {role.name for role in profile.roles}:
            raise NotFoundException(f"The role {role_name} cannot be found in instance profile {profile_name}.")
        remove(backend, profile_name, role_name)

    IAMBackend.remove_role_from_instance_profile = remove_present  # type: ignore[method-assign, assignment]  # replaces moto's


_PATCHES = {
    b"Action=DeleteLaunchTemplate": _launch_templates,
    b"Action=DeleteVpcEndpoints": _vpc_endpoints,
    b"Action=RemoveRoleFromInstanceProfile": _instance_profiles,
    b"Action=RevokeSecurityGroup": _security_group_rules,
}
