"""Secrets that a configuration refers to: `env:NAME`, `secretsmanager:NAME`, `secretsmanager:NAME#key`."""

from collections.abc import Mapping
from typing import Any

import orjson
from botocore.exceptions import BotoCoreError, ClientError

from postrank.aws.clients import Clients
from postrank.errors import Fatal
from postrank.options import Secret


class NoSecret(Fatal):
    """A secret that the configuration refers to cannot be had."""


class Secrets:
    """Resolves references. What is no reference stays as it is."""

    def __init__(self, environ: Mapping[str, str], clients: Clients) -> None:
        self._environ, self._clients = environ, clients

    def resolve(self, value: Any) -> Any:
        """The secret that a text refers to. Raises NoSecret, which names the reference and never the secret."""
        if not isinstance(value, str):
            return value
        kind, _, name = value.partition(":")
        if kind == "env" and name:
            if name not in self._environ:
                raise NoSecret(f"the environment has no {name}, which the configuration refers to")
            return Secret(self._environ[name])
        if kind == "secretsmanager" and name:
            return Secret(self._from_manager(name))
        return value

    def _from_manager(self, reference: str) -> str:
        name, _, key = reference.partition("#")
        try:
            text = str(self._clients.get("secretsmanager").get_secret_value(SecretId=name)["SecretString"])
            return str(orjson.loads(text)[key]) if key else text
        except ClientError as error:
            raise NoSecret(f"secret {name}: {error.response['Error'].get('Code', 'unknown error')}") from None
        except BotoCoreError as error:
            raise NoSecret(f"secret {name}: {error}") from None
        except (orjson.JSONDecodeError, KeyError, TypeError):
            raise NoSecret(f"secret {name} has no key {key}") from None
