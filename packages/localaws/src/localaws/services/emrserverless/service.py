"""The API of EMR Serverless: applications and job runs. Sessions and dashboards are not here."""

import secrets
from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager
from datetime import UTC, datetime

from localaws.core.cloud import ACCOUNT, REGION, AwsError, Caller, Cloud
from localaws.core.paging import offset
from localaws.core.shapes import Document, Params, Structure
from localaws.core.validation import check
from localaws.services.emrserverless.records import Records
from localaws.services.emrserverless.runner import ACTIVE, Runner

_ABSENT = frozenset(
    "GetDashboardForJobRun GetResourceDashboard GetSession GetSessionEndpoint ListSessions StartSession"
    " TerminateSession ListJobRunAttempts".split()
)
_ALPHABET = "0123456789abcdefghijklmnopqrstuv"
_PAGE = 50  # "ListJobRuns": at most 50 by default and at all
_BATCH_MINUTES = 720  # "StartJobRun": how long a batch job may run unless the call says otherwise


class EmrServerlessService:
    """Keeps applications and runs in `emr-serverless/` below the state folder."""

    name = "emr-serverless"

    def __init__(self, cloud: Cloud) -> None:
        folder = cloud.state / "emr-serverless"
        self._records = Records(folder)
        self._runner = Runner(cloud, self._records, folder / "runs")
        self._verbs: dict[str, Callable[[Document, Caller], Document]] = {
            "CreateApplication": self._create,
            "GetApplication": self._get,
            "ListApplications": self._list,
            "UpdateApplication": self._update,
            "StartApplication": self._start_application,
            "StopApplication": self._stop_application,
            "DeleteApplication": self._delete,
            "StartJobRun": self._start_run,
            "GetJobRun": self._get_run,
            "ListJobRuns": self._list_runs,
            "CancelJobRun": self._cancel_run,
            "ListTagsForResource": self._tags,
            "TagResource": self._tag,
            "UntagResource": self._untag,
        }
        self.actions = frozenset(self._verbs) | _ABSENT

    def start(self) -> None:
        if self._records.exist:
            self._runner.resume()

    def stop(self) -> None:
        self._runner.stop()

    def handle(self, action: str, params: Params, caller: Caller) -> Structure:
        if action in _ABSENT:
            raise AwsError("NotImplemented", f"{action}: there are only applications and job runs here", status=501)
        request = {name: value for name, value in params.items() if value != []}  # a list that the query does not have
        check("emr-serverless", action, request)
        return self._verbs[action](request, caller)

    def _create(self, params: Document, caller: Caller) -> Document:  # noqa: ARG002
        if params["type"].upper() != "SPARK":
            raise AwsError("ValidationException", f"Application type {params['type']} is not here: use SPARK")
        name = "00" + _random(14)
        now = datetime.now(UTC)
        record = {
            **{key: value for key, value in params.items() if key != "clientToken"},
            "applicationId": name,
            "arn": f"arn:aws:emr-serverless:{REGION}:{ACCOUNT}:/applications/{name}",
            "type": "Spark",
            "state": "CREATED",
            "createdAt": now,
            "updatedAt": now,
            "architecture": params.get("architecture") or "X86_64",
            "autoStartConfiguration": params.get("autoStartConfiguration") or {"enabled": True},
            "autoStopConfiguration": params.get("autoStopConfiguration") or {"enabled": True, "idleTimeoutMinutes": 15},
            "tags": params.get("tags") or {},
        }
        stored = self._records.add_application(params["clientToken"], record)
        return _only(stored, "applicationId name arn")

    def _get(self, params: Document, caller: Caller) -> Document:  # noqa: ARG002
        return {"application": self._records.application(params["applicationId"])}

    def _list(self, params: Document, caller: Caller) -> Document:  # noqa: ARG002
        states = params.get("states")
        summaries = [
            {"id": record["applicationId"], **record}
            for record in self._records.applications()
            if not states or record["state"] in states
        ]
        fields = "id name arn releaseLabel type state stateDetails createdAt updatedAt architecture"
        return _page("applications", [_only(summary, fields) for summary in summaries], params)

    def _update(self, params: Document, caller: Caller) -> Document:  # noqa: ARG002
        with self._records.changed_application(params["applicationId"]) as record:
            _require(record, "CREATED", "STOPPED")
            record.update({key: value for key, value in params.items() if key not in ("applicationId", "clientToken")})
        return {"application": record}

    def _start_application(self, params: Document, caller: Caller) -> Document:  # noqa: ARG002
        with self._records.changed_application(params["applicationId"]) as record:
            _require(record, "CREATED", "STOPPED", "STARTED")
            record["state"] = "STARTED"
        return {}

    def _stop_application(self, params: Document, caller: Caller) -> Document:  # noqa: ARG002
        active = [run for run in self._records.runs(params["applicationId"]) if run["state"] in ACTIVE]
        with self._records.changed_application(params["applicationId"]) as record:
            if active:
                raise AwsError(
                    "ValidationException", f"Application has {len(active)} active job runs: cancel them first"
                )
            _require(record, "STARTED", "STOPPED", "CREATED")
            record["state"] = "STOPPED"
        return {}

    def _delete(self, params: Document, caller: Caller) -> Document:  # noqa: ARG002
        with self._records.changed_application(params["applicationId"]) as record:
            _require(record, "CREATED", "STOPPED")
            record["state"] = "TERMINATED"
        return {}

    def _start_run(self, params: Document, caller: Caller) -> Document:
        with self._records.changed_application(params["applicationId"]) as application:
            if application["state"] != "STARTED" and not application["autoStartConfiguration"].get("enabled", True):
                raise AwsError(
                    "ValidationException", f"Application is {application['state']} and does not start by itself"
                )
            _require(application, "CREATED", "STOPPED", "STARTED")
            application["state"] = "STARTED"
        record, is_new = self._records.add_run(params["clientToken"], _new_run(params, application, caller))
        if is_new:
            self._runner.submit(record)
        return _only(record, "applicationId jobRunId arn")

    def _get_run(self, params: Document, caller: Caller) -> Document:  # noqa: ARG002
        return {"jobRun": self._records.run(params["applicationId"], params["jobRunId"])}

    def _list_runs(self, params: Document, caller: Caller) -> Document:  # noqa: ARG002
        self._records.application(params["applicationId"])
        fields = (
            "applicationId id name mode arn createdBy createdAt updatedAt executionRole state stateDetails releaseLabel"
            " type attempt attemptCreatedAt attemptUpdatedAt"
        )
        runs = [
            _only({"id": run["jobRunId"], "type": "SparkSubmit", **run}, fields)
            for run in self._records.runs(params["applicationId"])
            if _matches(run, params)
        ]
        return _page("jobRuns", runs, params)

    def _cancel_run(self, params: Document, caller: Caller) -> Document:  # noqa: ARG002
        record = self._records.run(params["applicationId"], params["jobRunId"])
        if record["state"] not in ACTIVE:
            raise AwsError("ValidationException", f"Job run is in the terminal state {record['state']}")
        self._runner.cancel(record, params.get("shutdownGracePeriodInSeconds"))
        return _only(record, "applicationId jobRunId")

    def _tags(self, params: Document, caller: Caller) -> Document:  # noqa: ARG002
        with self._tagged(params) as record:
            return {"tags": record.get("tags") or {}}

    def _tag(self, params: Document, caller: Caller) -> Document:  # noqa: ARG002
        with self._tagged(params) as record:
            record["tags"] = {**(record.get("tags") or {}), **params["tags"]}
        return {}

    def _untag(self, params: Document, caller: Caller) -> Document:  # noqa: ARG002
        with self._tagged(params) as record:
            tags = record.get("tags") or {}
            record["tags"] = {name: value for name, value in tags.items() if name not in params["tagKeys"]}
        return {}

    def _tagged(self, params: Document) -> AbstractContextManager[Document]:
        """The application or run that an ARN names, to be changed."""
        parts = str(params["resourceArn"]).split("/")
        if len(parts) == 5:
            return self._records.changed_run(parts[2], parts[4])
        return self._records.changed_application(parts[-1])


def _new_run(params: Document, application: Document, caller: Caller) -> Document:
    mode = params.get("mode") or "BATCH"
    name = "00" + _random(14)
    now = datetime.now(UTC)
    limit = params.get("executionTimeoutMinutes")
    minutes = limit if limit is not None else (0 if mode == "STREAMING" else _BATCH_MINUTES)
    return {
        **{key: value for key, value in params.items() if key not in ("clientToken", "executionRoleArn")},
        "jobRunId": name,
        "arn": f"{application['arn']}/jobruns/{name}",
        "createdBy": caller.arn,
        "createdAt": now,
        "updatedAt": now,
        "executionRole": params["executionRoleArn"],
        "state": "SUBMITTED",
        "stateDetails": "",
        "releaseLabel": application["releaseLabel"],
        "jobDriver": params.get("jobDriver") or {},
        "mode": mode,
        "attempt": 1,
        "attemptCreatedAt": now,
        "attemptUpdatedAt": now,
        "executionTimeoutMinutes": minutes,
        "tags": params.get("tags") or {},
    }


def _matches(run: Document, params: Document) -> bool:
    """ListJobRuns": by state, mode, and time of creation."""
    states = params.get("states")
    after = params.get("createdAtAfter")
    before = params.get("createdAtBefore")
    return (
        (not states or run["state"] in states)
        and (not params.get("mode") or run["mode"] == params["mode"])
        and (after is None or run["createdAt"] > after)
        and (before is None or run["createdAt"] < before)
    )


def _require(application: Document, *states: str) -> None:
    if application["state"] not in states:
        raise AwsError(
            "ValidationException",
            f"Application {application['applicationId']} is in state {application['state']}, not in"
            f" {' or '.join(states)}",
        )


def _page(name: str, items: list[Document], params: Document) -> Document:
    start = offset(params.get("nextToken"), lambda token: AwsError("ValidationException", f"Bad nextToken {token}"))
    size = min(int(params.get("maxResults") or _PAGE), _PAGE)
    more = {"nextToken": str(start + size)} if start + size < len(items) else {}
    return {name: items[start : start + size], **more}


def _only(record: Document, names: str) -> Document:
    return {name: record[name] for name in names.split() if name in record}


def _random(length: int) -> str:
    characters: Iterable[str] = (secrets.choice(_ALPHABET) for _ in range(length))
    return "".join(characters)
