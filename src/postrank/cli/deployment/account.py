"""The account that a deployment goes to."""

import os
from collections.abc import Iterator
from contextlib import contextmanager

from botocore.exceptions import BotoCoreError, ClientError

from postrank.aws.clients import Clients
from postrank.aws.resources import Resources
from postrank.errors import Fatal
from postrank.settings import Settings


class RefusedByAws(Fatal):
    """A call that AWS rejected or that could not be sent."""


def cloud() -> tuple[Resources, Clients]:
    """The names of POSTRANK_ENVIRONMENT, POSTRANK_ACCOUNT and AWS_REGION, and clients there. Raises WrongSettings."""
    settings = Settings.of(os.environ)
    names = Resources.of(settings.environment, settings.account, settings.region)
    return names, Clients(names.region)


@contextmanager
def aws_errors(state: str = "nothing was changed") -> Iterator[None]:
    """Turn boto3's errors into RefusedByAws; `state` says what they leave behind."""
    try:
        yield
    except (ClientError, BotoCoreError) as error:
        raise RefusedByAws(f"{state}: {error}") from error
