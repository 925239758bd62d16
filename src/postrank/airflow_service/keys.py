"""The keys of Airflow on ECS in Secrets Manager. Terraform creates them empty, so that its state holds no value."""

import base64
import secrets
from collections.abc import Callable, Collection, Iterator
from typing import TYPE_CHECKING

from botocore.exceptions import ClientError

from postrank.errors import Fatal

if TYPE_CHECKING:
    from mypy_boto3_secretsmanager import SecretsManagerClient


class KeyMissing(Fatal):
    """Terraform has not created the secret of a key."""

    def __init__(self, secret: str) -> None:
        super().__init__(f"the secret {secret} does not exist: set airflow_ecs and apply terraform/ first")
        self.secret = secret


def _fernet_key() -> str:
    """32 random bytes in URL-safe base64, as Fernet takes them."""
    return base64.urlsafe_b64encode(secrets.token_bytes(32)).decode()


KEYS: dict[str, Callable[[], str]] = {
    "fernet-key": _fernet_key,
    "secret-key": secrets.token_urlsafe,
    "jwt-secret": lambda: secrets.token_urlsafe(64),  # HS512 signs with as many bytes
    "metadata-password": secrets.token_urlsafe,
}


def fill(client: "SecretsManagerClient", prefix: str, renew: Collection[str] = ()) -> Iterator[tuple[str, bool]]:
    """Give a random value to every key that has none, and a new one to those of `renew`.

    Yields the name of each secret, and whether it got a value. Running it again changes nothing. Raises KeyMissing.
    """
    for key, generate in KEYS.items():
        secret = f"{prefix}/{key}"
        fresh = key in renew or not _has_value(client, secret)
        if fresh:
            client.put_secret_value(SecretId=secret, SecretString=generate())
        yield secret, fresh


def _has_value(client: "SecretsManagerClient", secret: str) -> bool:
    try:
        versions = client.describe_secret(SecretId=secret).get("VersionIdsToStages", {})
    except ClientError as error:
        if error.response["Error"]["Code"] == "ResourceNotFoundException":
            raise KeyMissing(secret) from error
        raise
    return any("AWSCURRENT" in stages for stages in versions.values())
