"""What the services share: `Cloud` as `localaws.service` describes it."""

from collections import defaultdict
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from localaws.emulator import client
from localaws.emulator.backend import Emulator
from localaws.gateway.calllog import CallLog
from localaws.gateway.principals import Principals, session_of
from localaws.gateway.resources import resources_of
from localaws.s3 import S3Service, Store
from localaws.service import AwsError, Caller, Hook, ObjectStore, Service


class Platform:
    """The state, the services, and the calls that they make of each other."""

    def __init__(self, state: Path, speed: float, call_log: Path | None) -> None:
        self.state = state
        self.speed = speed
        state.mkdir(parents=True, exist_ok=True)
        self.store = Store(state / "s3")
        self.objects: ObjectStore = self.store
        self.log = CallLog(call_log)
        self.principals = Principals()
        self.services: dict[str, list[Service]] = defaultdict(list)
        self.endpoint = ""
        self.emulator = Emulator(state / "emulator")
        self._hooks: dict[tuple[str, str], list[Hook]] = defaultdict(list)
        self.s3 = S3Service(self, self.store)
        self.register(self.s3)

    def register(self, service: Service) -> None:
        self.services[service.name].append(service)

    def owner(self, service: str, action: str) -> Service | None:
        """The service that answers an action here, or None for the emulator."""
        return next((one for one in self.services.get(service, ()) if action in one.actions), None)

    # Cloud

    def call(self, service: str, action: str, params: Mapping[str, Any], caller: Caller) -> dict[str, Any]:
        self.admit(service, action, params, caller)
        if owner := self.owner(service, action):
            return dict(owner.handle(action, params, caller))
        self.before(service, action, params)
        result = client.call(self.emulator, service, action, params)
        self.answered(service, action, params, result, caller)
        return result

    def authorize(self, caller: Caller, action: str, resource: str, context: Mapping[str, str] | None = None) -> None:
        service, _, name = action.partition(":")
        self.log.write(
            service=service,
            action=name,
            resource=resource,
            principal=caller.arn,
            decision="unchecked",
            source=caller.source,
        )

    def role(self, arn: str, *, service: str, session: str) -> Caller:
        name = arn.rpartition("/")[2]
        try:
            client.call(self.emulator, "iam", "GetRole", {"RoleName": name})
        except AwsError as error:
            raise AwsError("AccessDeniedException", f"{service} cannot assume {arn}: {error.message}") from error
        return session_of(arn, session, source=service.split(".", maxsplit=1)[0])

    def after(self, service: str, action: str, hook: Hook) -> None:
        self._hooks[service, action].append(hook)

    # What the gateway uses

    def admit(self, service: str, action: str, params: Mapping[str, Any], caller: Caller) -> None:
        """Log a call, one line for each resource that it is about."""
        for resource in resources_of(service, action, params):
            self.authorize(caller, f"{service}:{action}", resource)

    def before(self, service: str, action: str, params: Mapping[str, Any]) -> None:
        """What must hold before the emulator is asked. Raises AwsError."""
        if service == "s3":
            self.s3.before(action, params)

    def hooked(self, service: str, action: str) -> bool:
        return (service, action) in self._hooks

    def answered(
        self, service: str, action: str, params: Mapping[str, Any], result: Mapping[str, Any], caller: Caller
    ) -> None:
        """Tell the hooks of an action that the emulator has answered."""
        for hook in self._hooks.get((service, action), ()):
            hook(params, result, caller)

    def start(self) -> None:
        for services in self.services.values():
            for service in services:
                service.start()

    def stop(self) -> None:
        for services in reversed(list(self.services.values())):
            for service in services:
                service.stop()
        self.emulator.close()
        self.log.close()
