"""What CreateDBInstance and ModifyDBInstance may ask for.

"CreateDBInstance" and "ModifyDBInstance" (Amazon RDS API reference), the constraints of each parameter for PostgreSQL.
"""

import re

from localaws.core.cloud import AwsError
from localaws.core.shapes import Params

_IDENTIFIER = re.compile(r"[A-Za-z](-?[A-Za-z0-9])*\Z")
_WORD = re.compile(r"[A-Za-z][A-Za-z0-9_]*\Z")
_DATABASE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*\Z")
_PASSWORD = re.compile(r"[!#-.0-?A-~]+\Z")  # printable ASCII but for / @ " and space
# Names that Postgres or the service keep to themselves.
_RESERVED = {"admin", "public", "none", "user", "current_user", "session_user"}
_PORTS = range(1150, 65536)
# Parameters that mean what is not here, by what is said of them.
_ABSENT = {
    "DBClusterIdentifier": "DB clusters are not here: only single instances are",
    "EnableIAMDatabaseAuthentication": "IAM database authentication is not here: use the password",
    "MultiAZ": "there is one machine here, hence no standby in another zone",
}


def check_new(params: Params) -> None:
    """Raises AwsError for what RDS refuses, and for what cannot be had here."""
    if params.get("Engine") != "postgres":
        raise _not_here(f"the engine {params.get('Engine')!r} is not here: DB instances run postgres")
    _present(params)
    identifier = str(params["DBInstanceIdentifier"])
    if not _IDENTIFIER.match(identifier) or len(identifier) > 63:
        raise invalid(
            "The parameter DBInstanceIdentifier is not a valid identifier. Identifiers must begin with a letter; must"
            " contain only ASCII letters, digits, and hyphens; and must not end with a hyphen or contain two"
            " consecutive hyphens."
        )
    user = params.get("MasterUsername")
    if not user:
        raise invalid("The parameter MasterUsername must be provided and must not be blank.")
    if not _WORD.match(user) or len(user) > 63:
        raise invalid(f"Invalid master user name: {user}")
    if user.lower() in _RESERVED or user.lower().startswith(("pg_", "rds")):
        raise invalid(f"MasterUsername {user} cannot be used as it is a reserved word used by the engine")
    name = params.get("DBName")
    if name is not None and (not _DATABASE.match(name) or len(name) > 63):
        raise invalid(f"DBName {name!r} must begin with a letter or an underscore and contain only alphanumerics.")
    _check_password(params, needed=True)
    check_port(params.get("Port"))


def check_change(params: Params) -> None:
    """Raises AwsError as `check_new` does."""
    if params.get("NewDBInstanceIdentifier"):
        raise _not_here("a DB instance cannot be renamed here")
    _present(params)
    _check_password(params, needed=False)
    check_port(params.get("DBPortNumber"))


def check_port(port: int | None) -> None:
    if port is not None and port not in _PORTS:
        raise invalid(f"Invalid port number: {port}. Valid values: {_PORTS.start}-{_PORTS.stop - 1}")


def invalid(message: str) -> AwsError:
    return AwsError("InvalidParameterValue", message)


def _check_password(params: Params, *, needed: bool) -> None:
    password = params.get("MasterUserPassword")
    if params.get("ManageMasterUserPassword"):
        if password is not None:
            message = "You can't specify MasterUserPassword when ManageMasterUserPassword is enabled."
            raise AwsError("InvalidParameterCombination", message)
        return
    if password is None:
        if needed:
            raise invalid("The parameter MasterUserPassword must be provided and must not be blank.")
        return
    if not 8 <= len(password) <= 128:
        raise invalid(
            "The parameter MasterUserPassword is not a valid password because it is shorter than 8 characters."
            if len(password) < 8
            else "The parameter MasterUserPassword is not a valid password because it is longer than 128 characters."
        )
    if not _PASSWORD.match(password):
        raise invalid(
            "The parameter MasterUserPassword is not a valid password. Only printable ASCII characters besides '/',"
            " '@', '\"', ' ' may be used."
        )


def _present(params: Params) -> None:
    for name, message in _ABSENT.items():
        if params.get(name):
            raise _not_here(message)


def _not_here(feature: str) -> AwsError:
    return AwsError("NotImplemented", feature, status=501)
