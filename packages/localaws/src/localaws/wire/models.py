"""botocore's models of the services, by signing name; loaded when first asked for."""

from functools import cache
from typing import Any

from botocore.exceptions import UnknownServiceError
from botocore.model import OperationModel, OperationNotFoundError, ServiceModel

# botocore's name of a service where that is not the signing name.
_NAMES = {
    "monitoring": "cloudwatch",
    "elasticloadbalancing": "elbv2",
    "execute-api": "apigateway",
    "states": "stepfunctions",
    "tagging": "resourcegroupstaggingapi",
}


@cache
def _loader() -> Any:
    from botocore.loaders import create_loader

    return create_loader()


@cache
def model(service: str) -> ServiceModel | None:
    """The model of a service, or None where botocore has none of that name."""
    name = _NAMES.get(service, service)
    try:
        return ServiceModel(_loader().load_service_model(name, "service-2"), name)
    except (UnknownServiceError, ValueError):
        return None


@cache
def operation(service: str, action: str) -> OperationModel | None:
    """The model of one action, or None where the service has none of that name."""
    service_model = model(service)
    try:
        return service_model.operation_model(action) if service_model else None
    except OperationNotFoundError:
        return None
