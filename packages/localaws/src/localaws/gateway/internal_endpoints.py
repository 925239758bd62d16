"""The endpoints below /_localaws/, which no AWS has: health, and the credentials of roles.

"Container credential provider" (AWS SDKs and Tools Reference): a process that finds the address of such an endpoint in
AWS_CONTAINER_CREDENTIALS_FULL_URI asks it for its role's credentials, as one on ECS does.
"""

from datetime import timedelta
from typing import Any
from urllib.parse import unquote

import orjson

from localaws.core.cloud import AwsError
from localaws.gateway.platform import Platform
from localaws.wire.request import HttpAnswer, HttpRequest

OWN = "/_localaws/"
_SESSION = "localaws"  # the name of the sessions that are given out here
_LASTS = timedelta(hours=6)


class OwnEndpoints:
    """Answers what is below /_localaws/."""

    def __init__(self, platform: Platform) -> None:
        self._platform = platform

    def answer(self, request: HttpRequest) -> HttpAnswer:
        what, _, rest = request.path.removeprefix(OWN).partition("/")
        if request.method not in ("GET", "HEAD"):
            return _json(405, {"message": "only GET"})
        if what == "health":
            return _json(200, {"status": "ok", "services": sorted(self._platform.services)})
        if what == "credentials" and rest:
            return self._credentials(unquote(rest))
        return _json(404, {"message": f"{request.path[:200]} is not here"})

    def _credentials(self, role: str) -> HttpAnswer:
        try:
            made = self._platform.sts.grant(role, _SESSION, _LASTS)
        except AwsError as error:
            return _json(error.status, {"code": error.code, "message": error.message})
        return _json(
            200,
            {
                "RoleArn": role,
                "AccessKeyId": made.key,
                "SecretAccessKey": made.secret,
                "Token": made.token,
                "Expiration": made.expires.strftime("%Y-%m-%dT%H:%M:%SZ"),
            },
        )


def _json(status: int, document: dict[str, Any]) -> HttpAnswer:
    return HttpAnswer(status, {"Content-Type": "application/json"}, orjson.dumps(document))
