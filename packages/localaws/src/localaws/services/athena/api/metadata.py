"""Data catalogues, and databases and tables as Athena's metadata calls show Glue's."""

import re
import uuid

from localaws.core.cloud import AwsError, Caller, Cloud
from localaws.core.shapes import Document, Params, Response, Structure
from localaws.services.athena.api.paging import Answer, invalid, page

_CATALOG = {"Name": "AwsDataCatalog", "Type": "GLUE"}


class Metadata:
    """Reads of the one catalogue, AwsDataCatalog."""

    def __init__(self, cloud: Cloud) -> None:
        self._cloud = cloud
        self.actions: dict[str, Answer] = {
            "ListDataCatalogs": self.catalogs,
            "GetDataCatalog": self.catalog,
            "GetDatabase": self.database,
            "ListDatabases": self.databases,
            "GetTableMetadata": self.table,
            "ListTableMetadata": self.tables,
        }

    def catalogs(self, _params: Structure, _caller: Caller) -> Document:
        return {"DataCatalogsSummary": [{"CatalogName": _CATALOG["Name"], "Type": _CATALOG["Type"]}]}

    def catalog(self, params: Params, _caller: Caller) -> Response:
        _check(params["Name"])
        return {"DataCatalog": dict(_CATALOG)}

    def database(self, params: Params, caller: Caller) -> Response:
        _check(params["CatalogName"])
        response = self._glue("GetDatabase", {"Name": params["DatabaseName"]}, caller)
        return {"Database": _database(response["Database"])}

    def databases(self, params: Params, caller: Caller) -> Response:
        _check(params["CatalogName"])
        items, more = page(self._all("GetDatabases", "DatabaseList", {}, caller), params)
        return {"DatabaseList": [_database(item) for item in items], **more}

    def table(self, params: Params, caller: Caller) -> Response:
        _check(params["CatalogName"])
        response = self._glue("GetTable", {"DatabaseName": params["DatabaseName"], "Name": params["TableName"]}, caller)
        return {"TableMetadata": _table(response["Table"])}

    def tables(self, params: Params, caller: Caller) -> Response:
        _check(params["CatalogName"])
        tables = self._all("GetTables", "TableList", {"DatabaseName": params["DatabaseName"]}, caller)
        if params.get("Expression"):
            pattern = re.compile(params["Expression"])
            tables = [item for item in tables if pattern.fullmatch(item["Name"])]
        items, more = page(tables, params)
        return {"TableMetadataList": [_table(item) for item in items], **more}

    def _all(self, action: str, field: str, params: Document, caller: Caller) -> list[Response]:
        items: list[Document] = []
        token = None
        while True:
            answer = self._glue(action, {**params, **({"NextToken": token} if token else {})}, caller)
            items += answer.get(field) or []
            token = answer.get("NextToken")
            if not token:
                return items

    def _glue(self, action: str, params: Document, caller: Caller) -> Response:
        try:
            return self._cloud.call("glue", action, params, caller)
        except AwsError as error:
            # Clients read the catalog's own code out of this form.
            envelope = f"Service: AmazonDataCatalog; Status Code: {error.status}; Error Code: {error.code}"
            message = f"{error.message} ({envelope}; Request ID: {uuid.uuid4()}; Proxy: null)"
            raise AwsError("MetadataException", message) from error


def _check(name: str) -> None:
    if name.lower() != _CATALOG["Name"].lower():
        raise invalid(f"Data catalog {name} does not exist")


def _database(raw: Structure) -> Document:
    return {name: raw[name] for name in ("Name", "Description", "Parameters") if raw.get(name) is not None}


def _table(raw: Structure) -> Document:
    storage = raw.get("StorageDescriptor") or {}
    serde = storage.get("SerdeInfo") or {}
    extra = {
        "inputformat": storage.get("InputFormat"),
        "location": storage.get("Location"),
        "outputformat": storage.get("OutputFormat"),
        "serde.serialization.lib": serde.get("SerializationLibrary"),
        **{f"serde.param.{key}": value for key, value in (serde.get("Parameters") or {}).items()},
    }
    times = {name: raw[name] for name in ("CreateTime", "LastAccessTime", "TableType") if raw.get(name) is not None}
    return {
        "Name": raw["Name"],
        **times,
        "Columns": [_column(column) for column in storage.get("Columns") or []],
        "PartitionKeys": [_column(column) for column in raw.get("PartitionKeys") or []],
        "Parameters": {**(raw.get("Parameters") or {}), **{key: value for key, value in extra.items() if value}},
    }


def _column(raw: Structure) -> Document:
    return {name: raw[name] for name in ("Name", "Type", "Comment") if raw.get(name) is not None}
