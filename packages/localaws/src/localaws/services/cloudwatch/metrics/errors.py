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


def invalid_token(_token: str) -> AwsError:
    return AwsError("InvalidNextToken", "The next token specified is invalid.")
