"""Which Postrank this process belongs to: environment, account and region, read once from the process's environment."""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from postrank.options import WrongSettings

_ENVIRONMENT = re.compile(r"[a-z][a-z0-9-]{0,15}")
_ACCOUNT = re.compile(r"\d{12}")
_REGION = re.compile(r"[a-z]{2}(-[a-z]+)+-\d")


@dataclass(frozen=True, slots=True)
class Settings:
    """The names that every AWS resource of a Postrank is derived from."""

    environment: str  # "local", "dev", "prod", ...
    account: str
    region: str | None  # None: the region that the description of resources names

    @classmethod
    def of(cls, environ: Mapping[str, str]) -> "Settings":
        """POSTRANK_ENVIRONMENT ("local" if unset), POSTRANK_ACCOUNT, AWS_REGION. Raises WrongSettings."""
        environment = environ.get("POSTRANK_ENVIRONMENT") or "local"
        account = environ.get("POSTRANK_ACCOUNT") or ""
        region = environ.get("AWS_REGION") or environ.get("AWS_DEFAULT_REGION") or None
        problems = []
        if not _ENVIRONMENT.fullmatch(environment):
            problems.append("POSTRANK_ENVIRONMENT must be a short lower-case name such as prod")
        if not _ACCOUNT.fullmatch(account):
            wrong = "must be the 12 digits of an AWS account" if account else "is missing: the 12 digits of the account"
            problems.append(f"POSTRANK_ACCOUNT {wrong}")
        if region is not None and not _REGION.fullmatch(region):
            problems.append("AWS_REGION must be a region such as us-east-1")
        if problems:
            raise WrongSettings(problems)
        return cls(environment=environment, account=account, region=region)
