"""What the services share: `Cloud` as `localaws.core.cloud` describes it."""

from collections import defaultdict
from collections.abc import Mapping
from pathlib import Path

from localaws.core.cloud import AwsError, Caller, Hook, ObjectStore, Service
from localaws.core.root_key import RootKey, kept_root_key
from localaws.core.shapes import Params, Response, Structure
from localaws.emulator import client
from localaws.emulator.backend import Emulator
from localaws.gateway.call_log import CallLog
from localaws.gateway.resource_names import lookup_for
from localaws.iam.directory import Directory
from localaws.iam.guard import Guard
from localaws.iam.principals import Principals
from localaws.iam.sessions import Sessions
from localaws.iam.sts import StsService
from localaws.services.s3 import S3Service, Store


class Platform:
    """The state, the services, and the calls that they make of each other."""

    def __init__(
        self,
        state: Path,
        *,
        speed: float = 1.0,
        call_log: Path | None = None,
        enforce_iam: bool = False,
        root: RootKey | None = None,
    ) -> None:
        self.state = state
        self.speed = speed
        state.mkdir(parents=True, exist_ok=True, mode=0o700)
        state.chmod(0o700)
        self._root = root or kept_root_key(state)
        self.log = CallLog(call_log)
        self.services: dict[str, list[Service]] = defaultdict(list)
        self.endpoint = ""
        self._hooks: dict[tuple[str, str], list[Hook]] = defaultdict(list)
        self.emulator = Emulator(state / "emulator")
        directory = Directory(self.emulator)
        sessions = Sessions(state / "iam" / "sessions.sqlite")
        self.principals = Principals(directory, sessions, self._root)
        self.guard = Guard(directory, sessions, lookup_for(self, directory), self.log, enforce=enforce_iam)
        store = Store(state / "s3")
        self.objects: ObjectStore = store
        self.sts = StsService(directory, sessions)
        self.s3 = S3Service(self, store)
        self.register(self.s3)
        self.register(self.sts)

    def register(self, service: Service) -> None:
        self.services[service.name].append(service)

    def owner(self, service: str, action: str) -> Service | None:
        """The service that answers an action here, or None for the emulator."""
        return next((candidate for candidate in self.services.get(service, ()) if action in candidate.actions), None)

    # Cloud

    def call(self, service: str, action: str, params: Params, caller: Caller) -> Response:
        lines = self.guard.admit(service, action, params, caller)
        try:
            result = self._dispatch(service, action, params, caller)
        except AwsError as error:
            self.guard.record(lines, error.status)
            raise
        self.guard.record(lines, 200)
        return result

    def emulated(self, service: str, action: str, params: Params) -> Response:
        return client.call(self.emulator, service, action, params)

    def authorize(self, caller: Caller, action: str, resource: str, context: Mapping[str, str] | None = None) -> None:
        self.guard.authorize(caller, action, resource, context)

    def authorize_service(
        self, principal: str, action: str, resource: str, context: Mapping[str, str] | None = None
    ) -> None:
        self.guard.authorize_service(principal, action, resource, context)

    def role(self, arn: str, *, service: str, session: str) -> Caller:
        return self.guard.assume(arn, service, session)

    def delegate(self, caller: Caller) -> tuple[str, str]:
        return self.principals.delegate(caller)

    def role_token(self, name: str) -> str:
        return self._root.token_of(name)

    def after(self, service: str, action: str, hook: Hook) -> None:
        self._hooks[service, action].append(hook)

    def holds(self, service: str) -> bool:
        return self.emulator.holds(service)

    # What the gateway uses

    def before(self, service: str, action: str, params: Params) -> None:
        """What must hold before the emulator is asked. Raises AwsError."""
        if service == "s3":
            self.s3.before(action, params)

    def hooked(self, service: str, action: str) -> bool:
        return (service, action) in self._hooks

    def answered(self, service: str, action: str, params: Params, result: Structure, caller: Caller) -> None:
        """Tell the hooks of an action that it was answered."""
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

    def _dispatch(self, service: str, action: str, params: Params, caller: Caller) -> Response:
        if owner := self.owner(service, action):
            result = dict(owner.handle(action, params, caller))
        else:
            self.before(service, action, params)
            result = client.call(self.emulator, service, action, params)
        self.answered(service, action, params, result, caller)
        return result
