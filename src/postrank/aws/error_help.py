"""What AWS's errors say, and what to do about them, for whoever sees them on a terminal."""

from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    NoCredentialsError,
    PartialCredentialsError,
    ProfileNotFound,
)

from postrank.errors import Fatal, PostrankError, Retryable

_POLICIES = "src/postrank/aws/policies"
_PERMISSION = f"give the role the permission that the message names ({_POLICIES} has what each role needs)"
_CREATE = "create it: terraform apply, in the environment and account of POSTRANK_*"
_RENEW = "renew the credentials"
_OTHERS = "use other credentials: AWS does not know these"
_KEY = "correct the secret access key; if the clock is wrong, set it first"
_ROUTE = "check the route to AWS (endpoint, proxy, security group)"
_BY_CODE = {
    "AccessDenied": _PERMISSION,
    "AccessDeniedException": _PERMISSION,
    "ResourceNotFoundException": _CREATE,
    "NoSuchBucket": _CREATE,
    "ExpiredToken": _RENEW,
    "ExpiredTokenException": _RENEW,
    "InvalidClientTokenId": _OTHERS,
    "InvalidAccessKeyId": _OTHERS,
    "UnrecognizedClientException": _OTHERS,
    "SignatureDoesNotMatch": _KEY,
    "InvalidSignatureException": _KEY,
    "RequestTimeTooSkewed": "synchronize the clock (chrony, systemd-timesyncd)",
}
_BY_KIND: dict[type[Exception], tuple[str, str]] = {
    NoCredentialsError: ("boto3 found none", "attach the role to the instance, or set AWS_PROFILE"),
    PartialCredentialsError: ("", "set both AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or AWS_PROFILE"),
    ProfileNotFound: ("", "set AWS_PROFILE to a profile of ~/.aws/config, or unset it"),
}


def repair(error: ClientError | BotoCoreError) -> tuple[str, str]:
    """What was seen, and what to do."""
    if isinstance(error, ClientError):
        code = error.response["Error"].get("Code", "")
        message = error.response["Error"].get("Message", "")
        return f"{code}: {message}", _BY_CODE.get(code, "see AWS's documentation of this error")
    seen, advice = _BY_KIND.get(type(error), ("", _ROUTE))
    return seen or str(error), advice


def explain(error: Exception) -> PostrankError | None:
    """The same as an error of ours; None for what is none of AWS's. One that may pass by itself is Retryable."""
    if not isinstance(error, ClientError | BotoCoreError):
        return None
    seen, advice = repair(error)
    where = f" to {error.operation_name}" if isinstance(error, ClientError) else ""
    passes = advice == _ROUTE or (isinstance(error, ClientError) and _status(error) >= 500)
    kind = Retryable if passes else Fatal
    return kind(f"AWS answered{where}: {seen}\n  -> {advice}")


def _status(error: ClientError) -> int:
    return int(error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0))
