"""Workgroups: kept settings, and which of a caller's settings they overrule."""

import time

from localaws.core.cloud import ACCOUNT, REGION, AwsError, Caller
from localaws.core.shapes import Document, Params, Response, Structure
from localaws.core.times import utc
from localaws.services.athena.api.document_store import Documents
from localaws.services.athena.api.paging import Answer, invalid, page

PRIMARY = "primary"
ENGINE = {"SelectedEngineVersion": "AUTO", "EffectiveEngineVersion": "Athena engine version 3"}
_LEAST_CUTOFF = 10_000_000  # bytes; "WorkGroupConfiguration"


class Workgroups:
    """The account's workgroups; `primary` is always there."""

    def __init__(self, documents: Documents) -> None:
        self._documents = documents
        self.actions: dict[str, Answer] = {
            "CreateWorkGroup": self.create,
            "GetWorkGroup": self.get,
            "ListWorkGroups": self.listed,
            "UpdateWorkGroup": self.update,
            "DeleteWorkGroup": self.delete,
            "TagResource": self.tag,
            "UntagResource": self.untag,
            "ListTagsForResource": self.list_tags,
            "ListEngineVersions": lambda _params, _caller: {"EngineVersions": [ENGINE]},
        }
        if documents.get("workgroup", PRIMARY) is None:
            self._put(PRIMARY, {"EnforceWorkGroupConfiguration": False}, "", [])

    def find(self, name: str | None) -> Document:
        """The kept workgroup. Raises AwsError InvalidRequestException."""
        workgroup = self._documents.get("workgroup", name or PRIMARY)
        if workgroup is None:
            raise invalid(f"WorkGroup {name} is not found.", "WORKGROUP_NOT_FOUND")
        return workgroup

    def create(self, params: Params, _caller: Caller) -> Response:
        name = params["Name"]
        if self._documents.get("workgroup", name) is not None:
            raise invalid(f"WorkGroup {name} is already created")
        configuration = {
            "EnforceWorkGroupConfiguration": True,
            "PublishCloudWatchMetricsEnabled": False,
            "RequesterPaysEnabled": False,
            **(params.get("Configuration") or {}),
        }
        self._put(name, configuration, params.get("Description") or "", params.get("Tags") or [])
        return {}

    def get(self, params: Params, _caller: Caller) -> Response:
        workgroup = self.find(params["WorkGroup"])
        return {
            "WorkGroup": {
                **{name: workgroup[name] for name in ("Name", "State", "Configuration", "Description")},
                "CreationTime": utc(workgroup["CreationTime"]),
            }
        }

    def listed(self, params: Params, _caller: Caller) -> Response:
        summaries = [
            {
                **{name: item[name] for name in ("Name", "State", "Description")},
                "CreationTime": utc(item["CreationTime"]),
                "EngineVersion": ENGINE,
            }
            for item in self._documents.all("workgroup")
        ]
        items, more = page(summaries, params)
        return {"WorkGroups": list(items), **more}

    def update(self, params: Params, _caller: Caller) -> Response:
        workgroup = self.find(params["WorkGroup"])
        configuration = dict(workgroup["Configuration"])
        updates = dict(params.get("ConfigurationUpdates") or {})
        result = updates.pop("ResultConfigurationUpdates", None)
        if result is not None:
            configuration["ResultConfiguration"] = _result(configuration.get("ResultConfiguration") or {}, result)
        managed = updates.pop("ManagedQueryResultsConfigurationUpdates", None)
        if managed is not None:
            current = configuration.get("ManagedQueryResultsConfiguration") or {"Enabled": False}
            configuration["ManagedQueryResultsConfiguration"] = _result(current, managed)
        if updates.pop("RemoveBytesScannedCutoffPerQuery", False):
            configuration.pop("BytesScannedCutoffPerQuery", None)
        if updates.pop("RemoveCustomerContentEncryptionConfiguration", False):
            configuration.pop("CustomerContentEncryptionConfiguration", None)
        configuration.update({name.removesuffix("Updates"): value for name, value in updates.items()})
        _check(configuration)
        workgroup["Configuration"] = configuration
        workgroup["Description"] = params.get("Description", workgroup["Description"])
        workgroup["State"] = params.get("State", workgroup["State"])
        self._documents.put("workgroup", workgroup["Name"], workgroup)
        return {}

    def delete(self, params: Params, _caller: Caller) -> Response:
        name = params["WorkGroup"]
        self.find(name)
        if name == PRIMARY:
            raise invalid("The primary workgroup cannot be deleted.")
        saved = [
            item
            for kind in ("named", "prepared")
            for item in self._documents.all(kind)
            if item.get("WorkGroup") == name
        ]
        if saved and not params.get("RecursiveDeleteOption"):
            raise invalid(f"WorkGroup {name} is not empty")
        for kind in ("named", "prepared"):
            for item in list(self._documents.all(kind)):
                if item.get("WorkGroup") == name:
                    self._documents.delete(kind, item["_key"])
        self._documents.delete("workgroup", name)
        return {}

    def tag(self, params: Params, _caller: Caller) -> Response:
        workgroup = self._of_arn(params["ResourceARN"])
        tags = {tag["Key"]: tag["Value"] for tag in [*workgroup["Tags"], *params["Tags"]]}
        workgroup["Tags"] = [{"Key": key, "Value": value} for key, value in tags.items()]
        self._documents.put("workgroup", workgroup["Name"], workgroup)
        return {}

    def untag(self, params: Params, _caller: Caller) -> Response:
        workgroup = self._of_arn(params["ResourceARN"])
        workgroup["Tags"] = [tag for tag in workgroup["Tags"] if tag["Key"] not in params["TagKeys"]]
        self._documents.put("workgroup", workgroup["Name"], workgroup)
        return {}

    def list_tags(self, params: Params, _caller: Caller) -> Response:
        return {"Tags": self._of_arn(params["ResourceARN"])["Tags"]}

    def _of_arn(self, arn: str) -> Document:
        prefix = f"arn:aws:athena:{REGION}:{ACCOUNT}:workgroup/"
        workgroup = self._documents.get("workgroup", arn.removeprefix(prefix)) if arn.startswith(prefix) else None
        if workgroup is None:
            raise AwsError("ResourceNotFoundException", f"{arn} is not found", ResourceName=arn)
        return workgroup

    def _put(self, name: str, configuration: Document, description: str, tags: list[dict[str, str]]) -> None:
        _check(configuration)
        self._documents.put(
            "workgroup",
            name,
            {
                "Name": name,
                "State": "ENABLED",
                "Configuration": {**configuration, "EngineVersion": ENGINE},
                "Description": description,
                "CreationTime": time.time(),
                "Tags": tags,
            },
        )


def managed_results(configuration: Structure) -> Structure | None:
    """The ManagedQueryResultsConfiguration of a workgroup where Athena manages results."""
    managed: Structure = configuration.get("ManagedQueryResultsConfiguration") or {}
    return managed if managed.get("Enabled") else None


def _check(configuration: Structure) -> None:
    location = (configuration.get("ResultConfiguration") or {}).get("OutputLocation")
    if location and not str(location).startswith("s3://"):
        raise invalid(f"outputLocation is not a valid S3 path: {location}")
    if location and managed_results(configuration):
        raise invalid("A workgroup with managed query results cannot have an OutputLocation")
    cutoff = configuration.get("BytesScannedCutoffPerQuery")
    if cutoff is not None and cutoff < _LEAST_CUTOFF:
        raise invalid(f"BytesScannedCutoffPerQuery must be at least {_LEAST_CUTOFF}")


def _result(current: Structure, updates: Structure) -> Document:
    changed = {**current, **{name: value for name, value in updates.items() if not name.startswith("Remove")}}
    for name, remove in updates.items():
        if name.startswith("Remove") and remove:
            changed.pop(name.removeprefix("Remove"), None)
    return changed
