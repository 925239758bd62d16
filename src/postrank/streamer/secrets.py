"""Secrets that a configuration refers to: `env:NAME`, `secretsmanager:NAME`, `secretsmanager:NAME#key`."""

from collections.abc import Mapping
from typing import Any

import orjson
from botocore.exceptions import BotoCoreError, ClientError

from postrank.aws.clients import Clients
from postrank.errors import Fatal, Retryable
from postrank.options import Secret


class NoSecret(Fatal):
    """A secret that the configuration refers to cannot be had."""


class ManagerAway(Retryable):
    """Secrets Manager does not answer."""


class Secrets:
    """Resolves references. What is no reference stays as it is."""

    def __init__(self, environ: Mapping[str, str], clients: Clients | None) -> None:
        """Without `clients` (it is not known yet whose) the secrets of Secrets Manager are not looked for."""
        self._environ = environ
        self._clients = clients

    def resolve(self, value: Any) -> Any:
        """The secret that a text refers to, without the blanks around it, such as the newline of the file it came from.

        Raises NoSecret, ManagerAway; both name the reference and never the secret.
        """
        if not isinstance(value, str):
            return value
        kind, _, name = value.partition(":")
        if kind == "env" and name:
            if name not in self._environ:
                raise NoSecret(f"the environment has no {name}")
            return Secret(self._environ[name].strip())
        if kind == "secretsmanager" and name:
            return Secret(self._from_manager(self._clients, name).strip() if self._clients else "unresolved")
        return value

    @staticmethod
    def _from_manager(clients: Clients, reference: str) -> str:
        name, _, key = reference.partition("#")
        try:
            text = str(clients.get("secretsmanager").get_secret_value(SecretId=name)["SecretString"])
            return str(orjson.loads(text)[key]) if key else text
        except ClientError as error:
            code = error.response["Error"].get("Code", "")
            status = error.response["ResponseMetadata"]["HTTPStatusCode"]
            if status >= 500 or "Throttling" in code:
                raise ManagerAway(f"secret {name}: Secrets Manager answers {code or status}") from None
            raise NoSecret(f"secret {name}: {_ADVICE.get(code, code)}") from None
        except BotoCoreError as error:
            raise ManagerAway(f"secret {name}: {error}") from None
        except (orjson.JSONDecodeError, KeyError, TypeError):
            raise NoSecret(f"secret {name} has no text" + (f" with the key {key}" if key else "")) from None


_ADVICE = {
    "ResourceNotFoundException": "there is none of that name in this account and region (ResourceNotFoundException)",
    "AccessDeniedException": "this role may not read it (AccessDeniedException)",
}
