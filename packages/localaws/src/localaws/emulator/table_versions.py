"""UpdateTable with VersionId and SkipArchive, which moto passes over: without them, of two writers one would be lost.

Iceberg's commits depend on the first: an update of a version that is no longer the current one fails.
"""

from functools import cache

from localaws.wire.request import HttpRequest

_ACTION = "AWSGlue.UpdateTable"


def install(request: HttpRequest) -> None:
    """Patch moto before the first call of the action."""
    if request.headers.get("x-amz-target", "") == _ACTION:
        _install()


@cache
def _install() -> None:
    from moto.core.exceptions import JsonRESTError
    from moto.core.responses import ActionResult
    from moto.glue import responses

    update = responses.GlueResponse.update_table

    def update_of_version(response: responses.GlueResponse) -> ActionResult:
        parameters = response.parameters
        name = str((parameters.get("TableInput") or {}).get("Name"))
        table = response.glue_backend.get_table(str(parameters.get("DatabaseName")), name)
        before = str(table._current_version)
        expected = parameters.get("VersionId")
        if expected and expected != before:
            raise JsonRESTError(
                "ConcurrentModificationException",
                f"Update table failed due to concurrent modifications. Version {expected} of {name} is not the current"
                f" one, {before}.",
            )
        result = update(response)
        if parameters.get("SkipArchive") in (True, "true"):
            table.versions.pop(before, None)
        return result

    type.__setattr__(responses.GlueResponse, "update_table", update_of_version)
