"""SQL by which a new server becomes an instance of RDS: its master user, its first database.

"Understanding the rds_superuser role" and "Master user account privileges" (Amazon RDS user guide): the superuser is
`rdsadmin`, the service's own; the master user may create roles and databases, and is a member of `rds_superuser`.
"""

import base64
import hashlib
import hmac
import os

ADMIN = "rdsadmin"
_ITERATIONS = 4096


def master_user(name: str, password: str) -> str:
    """Makes the master user, the owner of the database `postgres`."""
    return f"""
create role rds_superuser;
grant pg_monitor, pg_signal_backend, pg_checkpoint to rds_superuser with admin option;
create role {_name(name)} login createdb createrole;
grant rds_superuser to {_name(name)} with admin option;
{master_password(name, password)}
alter database postgres owner to {_name(name)};
"""


def master_password(name: str, password: str) -> str:
    """Sets a role's password. It is hashed here: no server's log can come to show it."""
    return f"alter role {_name(name)} password '{_scram(password)}';\n"


def database(name: str, owner: str) -> str:
    """Makes a database."""
    return f"create database {_name(name)} owner {_name(owner)};\n"


def _name(name: str) -> str:
    return f'"{name}"'  # letters, digits and _ only: `rules` has seen to it


def _scram(password: str) -> str:
    """The verifier that Postgres keeps of a password ("pg_authid", PostgreSQL; RFC 5803)."""
    salt = os.urandom(16)
    salted = hashlib.pbkdf2_hmac("sha256", password.encode(), salt, _ITERATIONS)
    stored = hashlib.sha256(_keyed(salted, b"Client Key")).digest()
    server = _keyed(salted, b"Server Key")
    return f"SCRAM-SHA-256${_ITERATIONS}:{_text(salt)}${_text(stored)}:{_text(server)}"


def _keyed(key: bytes, text: bytes) -> bytes:
    return hmac.digest(key, text, "sha256")


def _text(value: bytes) -> str:
    return base64.b64encode(value).decode()
