"""What the emulator knows of users, roles, their policies, and the policies of resources.

It is read where moto keeps it: this is asked at every call, and asking through the wire protocol would cost more than
the calls themselves.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, TypeVar

from localaws.core.cloud import ACCOUNT, REGION
from localaws.emulator.backend import Emulator

# Any, below: backends of moto, whose classes vary with its version and are imported with the first call.
T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class Entity:
    """A user or a role with all policies that it has of itself or through its groups."""

    arn: str
    id: str
    name: str
    policies: tuple[str, ...]
    boundary: str | None = None
    boundary_arn: str | None = None
    trust: str = ""
    tags: dict[str, str] = field(default_factory=dict)
    max_session: int = 3600


@dataclass(frozen=True, slots=True, kw_only=True)
class UserKey:
    """A user's access key."""

    user: str
    secret: str
    active: bool


class Directory:
    """Reads the emulator's IAM, and the policies and tags of its resources."""

    def __init__(self, emulator: Emulator) -> None:
        self._emulator = emulator

    def role(self, name: str) -> Entity | None:
        def find(iam: Any) -> Entity | None:
            match = next((role for role in iam.roles.values() if role.name == name), None)
            return match and Entity(
                arn=match.arn,
                id=match.id,
                name=match.name,
                policies=tuple(match.policies.values()) + _managed(match),
                boundary=_document(iam, match.permissions_boundary_arn),
                boundary_arn=match.permissions_boundary_arn,
                trust=match.assume_role_policy_document,
                tags=_tags(match.tags),
                max_session=int(match.max_session_duration or 3600),
            )

        return self._iam(find)

    def user(self, name: str) -> Entity | None:
        def find(iam: Any) -> Entity | None:
            match = iam.users.get(name)
            if match is None:
                return None
            groups = [group for group in iam.groups.values() if match in group.users]
            of_groups = tuple(text for group in groups for text in (*group.policies.values(), *_managed(group)))
            boundary = getattr(match, "permissions_boundary_arn", None)
            return Entity(
                arn=match.arn,
                id=match.id,
                name=match.name,
                policies=_inline(match) + _managed(match) + of_groups,
                boundary=_document(iam, boundary),
            )

        return self._iam(find)

    def key(self, access_key: str) -> UserKey | None:
        """The user's key with that id."""

        def find(iam: Any) -> UserKey | None:
            for user in iam.users.values():
                for key in user.access_keys:
                    if key.access_key_id == access_key:
                        active = key.status == "Active"
                        return UserKey(user=user.name, secret=key.secret_access_key, active=active)
            return None

        return self._iam(find)

    def managed_policy(self, arn: str) -> str | None:
        """The document of a managed policy."""
        return self._iam(lambda iam: _document(iam, arn))

    def profile_roles(self, name: str) -> list[str]:
        """The ARNs of an instance profile's roles, by the profile's name or ARN."""
        profile = name.rpartition("/")[2]
        return self._iam(
            lambda iam: [
                role.arn
                for candidate in iam.instance_profiles.values()
                if candidate.name == profile
                for role in candidate.roles
            ]
        )

    def bucket_policy(self, bucket: str) -> str | None:
        def find(s3: Any) -> str | None:
            match = s3.buckets.get(bucket)
            return match.policy.decode() if match is not None and match.policy else None

        return self._backend("s3", "aws", find)

    def queue_policy(self, arn: str) -> str | None:
        """The policy of an SQS queue."""
        name = arn.rpartition(":")[2]
        return self._backend("sqs", REGION, lambda sqs: _policy(sqs.queues.get(name)))

    def topic_policy(self, arn: str) -> str | None:
        """The policy of an SNS topic."""
        return self._backend("sns", REGION, lambda sns: _policy(sns.topics.get(arn)))

    def ec2_tags(self, resource: str) -> dict[str, str]:
        """The tags of an instance or a volume, by its id."""

        def find(ec2: Any) -> dict[str, str]:
            return {tag["key"]: tag["value"] for tag in ec2.describe_tags({"resource-id": [resource]})}

        return self._backend("ec2", REGION, find)

    def secret_tags(self, arn: str) -> dict[str, str]:
        """The tags of a secret."""
        return self._backend(
            "secretsmanager",
            REGION,
            lambda store: next((_tags(secret.tags) for secret in store.secrets.values() if secret.arn == arn), {}),
        )

    def secret_arn(self, name: str) -> str | None:
        def find(store: Any) -> str | None:
            return next((secret.arn for secret in store.secrets.values() if name in (secret.name, secret.arn)), None)

        return self._backend("secretsmanager", REGION, find)

    def _iam(self, find: Callable[[Any], T]) -> T:
        return self._backend("iam", "aws", find)

    def _backend(self, service: str, region: str, find: Callable[[Any], T]) -> T:
        def use() -> T:
            import moto.backends

            backends: Any = moto.backends.get_backend
            return find(backends(service)[ACCOUNT][region])

        return self._emulator.within(use)


def _policy(resource: object) -> str | None:
    policy = getattr(resource, "policy", None)
    return str(policy) if policy else None


def _inline(identity: Any) -> tuple[str, ...]:
    return tuple(identity.policies.values())


def _managed(identity: Any) -> tuple[str, ...]:
    return tuple(_default(policy) for policy in identity.managed_policies.values())


def _document(iam: Any, arn: str | None) -> str | None:
    policy = iam.managed_policies.get(arn) if arn else None
    return None if policy is None else _default(policy)


def _default(policy: Any) -> str:
    """The document of a managed policy's default version."""
    return str(next(version.document for version in policy.versions if version.version_id == policy.default_version_id))


def _tags(tags: Any) -> dict[str, str]:
    pairs = tags.values() if isinstance(tags, dict) else tags or []
    return {tag["Key"]: tag["Value"] for tag in pairs}
