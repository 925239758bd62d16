"""The endpoints below /_localaws/, which no AWS has: health, and the credentials of roles.

"Container credential provider" (AWS SDKs and Tools Reference): a process that finds the address of such an endpoint in
AWS_CONTAINER_CREDENTIALS_FULL_URI asks it for its role's credentials, as one on ECS does, with the role's token
(AWS_CONTAINER_AUTHORIZATION_TOKEN) in the Authorization header.
"""

import hmac
from datetime import timedelta
from urllib.parse import unquote

import orjson

from localaws.core.cloud import AwsError
from localaws.core.shapes import Document
from localaws.gateway.platform import Platform
from localaws.wire.request import HttpAnswer, HttpRequest

OWN = "/_localaws/"
_SESSION = "localaws"  # the name of the sessions that are given out here
_LASTS = timedelta(hours=6)
_FORBIDDEN = (
    "the Authorization header does not hold the token of this role (AWS_CONTAINER_AUTHORIZATION_TOKEN);"
    " `localaws token` prints it"
)


class OwnEndpoints:
    """Answers what is below /_localaws/."""

    def __init__(self, platform: Platform) -> None:
        self._platform = platform

    def answer(self, request: HttpRequest) -> HttpAnswer:
        what, _, rest = request.path.removeprefix(OWN).partition("/")
        if request.method not in ("GET", "HEAD"):
            return _json(405, {"message": "only GET"})
        if what == "health":
            return _json(200, {"status": "ok"})
        if what == "credentials" and rest:
            role = unquote(rest)
            if not self._is_authorized(role, request.headers.get("authorization", "")):
                return own_refusal(_FORBIDDEN)
            return self._credentials(role)
        return _json(404, {"message": f"{request.path[:200]} is not here"})

    def _is_authorized(self, role: str, authorization: str) -> bool:
        token = self._platform.role_token(role.rpartition("/")[2])
        return hmac.compare_digest(token.encode(), authorization.encode())

    def _credentials(self, role: str) -> HttpAnswer:
        try:
            session = self._platform.sts.grant(role, _SESSION, _LASTS)
        except AwsError as error:
            return _json(error.status, {"code": error.code, "message": error.message})
        return _json(
            200,
            {
                "RoleArn": role,
                "AccessKeyId": session.key,
                "SecretAccessKey": session.secret,
                "Token": session.token,
                "Expiration": session.expires.strftime("%Y-%m-%dT%H:%M:%SZ"),
            },
        )


def own_refusal(reason: str) -> HttpAnswer:
    """The answer of these endpoints to who may not use them."""
    return _json(403, {"code": "AccessDenied", "message": f"The local AWS rejected the request: {reason}"})


def _json(status: int, document: Document) -> HttpAnswer:
    return HttpAnswer(status, {"Content-Type": "application/json"}, orjson.dumps(document))
