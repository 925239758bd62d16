"""The errors of CloudWatch, by the names of its API."""

from localaws.core.cloud import AwsError


def invalid(message: str) -> AwsError:
    return AwsError("InvalidParameterValue", message)


def missing(message: str) -> AwsError:
    return AwsError("MissingParameter", message)


def conflicting(message: str) -> AwsError:
    return AwsError("InvalidParameterCombination", message)


def not_valid(message: str) -> AwsError:
    return AwsError("ValidationError", message)


def unknown(message: str) -> AwsError:
    return AwsError("ResourceNotFound", message, status=404)


def offset(token: str | None) -> int:
    """Where the page that a NextToken stands for begins. Raises AwsError InvalidNextToken."""
    if token is None:
        return 0
    if not token.isascii() or not token.isdigit():
        raise AwsError("InvalidNextToken", "The next token specified is invalid.")
    return int(token)
