"""The root's access key: made once for a state folder and kept there as AWS's shared credentials file."""

import configparser
import hashlib
import hmac
import os
import secrets
from dataclasses import dataclass, field
from pathlib import Path

FILE = "credentials"
_KEY = "localaws"
_PROFILE = "default"
_LEAST_SECRET = 20  # characters; AWS's own have 40


class UnusableCredentials(ValueError):
    """A credentials file that does not hold a key."""


@dataclass(frozen=True, slots=True)
class RootKey:
    """The access key of the account's root."""

    key: str
    secret: str = field(repr=False)

    def token_of(self, role: str) -> str:
        """The authorization token for the credentials of one role, by name: it opens no other role, and the secret
        cannot be derived from it.
        """
        return hmac.new(self.secret.encode(), f"role/{role}".encode(), hashlib.sha256).hexdigest()


def root_key(path: Path) -> RootKey:
    """The key in a shared credentials file. Raises UnusableCredentials, OSError."""
    parser = configparser.ConfigParser(interpolation=None)
    try:
        parser.read_string(path.read_text(encoding="utf-8"))
        profile = parser[_PROFILE]
        key = RootKey(profile["aws_access_key_id"].strip(), profile["aws_secret_access_key"].strip())
    except (configparser.Error, KeyError, UnicodeDecodeError) as error:
        raise UnusableCredentials(
            f"{path} is not a shared credentials file with a [{_PROFILE}] profile that has aws_access_key_id and"
            " aws_secret_access_key"
        ) from error
    if not key.key or len(key.secret) < _LEAST_SECRET:
        raise UnusableCredentials(
            f"{path}: aws_access_key_id must not be empty, and aws_secret_access_key must have at least {_LEAST_SECRET}"
            " characters; generate it: python -c 'import secrets; print(secrets.token_hex(20))'"
        )
    return key


def kept_root_key(state: Path) -> RootKey:
    """The key of a state folder, generated when the folder has none. Raises UnusableCredentials, OSError."""
    path = state / FILE
    if not path.exists():
        _write(path, secrets.token_urlsafe(30))
    path.chmod(0o600)
    return root_key(path)


def _write(path: Path, secret: str) -> None:
    """Write the file whole or not at all, readable by its owner only."""
    draft = path.with_name(f"{path.name}.{os.getpid()}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(f"[{_PROFILE}]\naws_access_key_id = {_KEY}\naws_secret_access_key = {secret}\n")
    draft.rename(path)
