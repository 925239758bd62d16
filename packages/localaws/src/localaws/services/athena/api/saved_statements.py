"""Named queries and prepared statements."""

import time
import uuid

from localaws.core.cloud import AwsError, Caller
from localaws.core.shapes import Document, Params, Response
from localaws.core.times import utc
from localaws.services.athena.api.document_store import Documents
from localaws.services.athena.api.paging import Answer, invalid, page
from localaws.services.athena.api.workgroups import PRIMARY, Workgroups

_NAMED = ("Name", "Description", "Database", "QueryString", "NamedQueryId", "WorkGroup")


class Saved:
    """Statements kept by name."""

    def __init__(self, documents: Documents, workgroups: Workgroups) -> None:
        self._documents = documents
        self._workgroups = workgroups
        self.actions: dict[str, Answer] = {
            "CreateNamedQuery": self.create_named,
            "GetNamedQuery": lambda params, _: {"NamedQuery": self._named(params["NamedQueryId"])},
            "BatchGetNamedQuery": self.batch_named,
            "ListNamedQueries": self.list_named,
            "UpdateNamedQuery": self.update_named,
            "DeleteNamedQuery": self.delete_named,
            "CreatePreparedStatement": self.create_prepared,
            "GetPreparedStatement": lambda params, _: {"PreparedStatement": self._prepared(params)},
            "BatchGetPreparedStatement": self.batch_prepared,
            "ListPreparedStatements": self.list_prepared,
            "UpdatePreparedStatement": self.update_prepared,
            "DeletePreparedStatement": self.delete_prepared,
        }

    def text(self, workgroup: str, name: str) -> str:
        """A prepared statement's SQL. Raises AwsError."""
        statement = self._documents.get("prepared", f"{workgroup}/{name}")
        if statement is None:
            raise invalid(
                f"PreparedStatement {name} was not found in workGroup {workgroup}", "PREPARED_STATEMENT_NOT_FOUND"
            )
        return str(statement["QueryStatement"])

    def create_named(self, params: Params, _caller: Caller) -> Response:
        workgroup = self._workgroups.find(params.get("WorkGroup"))["Name"]
        token = params.get("ClientRequestToken")
        for item in self._documents.all("named"):
            if token and item.get("_token") == token:
                return {"NamedQueryId": item["NamedQueryId"]}
        key = str(uuid.uuid4())
        query = {name: params[name] for name in _NAMED if params.get(name)}
        self._documents.put(
            "named", key, {**query, "NamedQueryId": key, "WorkGroup": workgroup, "_token": token, "_key": key}
        )
        return {"NamedQueryId": key}

    def batch_named(self, params: Params, _caller: Caller) -> Response:
        keys = params["NamedQueryIds"]
        queries = [self._named(key) for key in keys if self._documents.get("named", key)]
        there = {item["NamedQueryId"] for item in queries}
        missing = [
            {"NamedQueryId": key, "ErrorCode": "INVALID_INPUT", "ErrorMessage": f"NamedQuery {key} was not found"}
            for key in keys
            if key not in there
        ]
        return {"NamedQueries": queries, "UnprocessedNamedQueryIds": missing}

    def list_named(self, params: Params, _caller: Caller) -> Response:
        workgroup = self._workgroups.find(params.get("WorkGroup"))["Name"]
        keys = [item["NamedQueryId"] for item in self._documents.all("named") if item["WorkGroup"] == workgroup]
        items, more = page(keys, params)
        return {"NamedQueryIds": list(items), **more}

    def update_named(self, params: Params, _caller: Caller) -> Response:
        self._named(params["NamedQueryId"])
        query = self._documents.get("named", params["NamedQueryId"]) or {}
        query.update({name: params[name] for name in ("Name", "Description", "QueryString") if name in params})
        self._documents.put("named", params["NamedQueryId"], query)
        return {}

    def delete_named(self, params: Params, _caller: Caller) -> Response:
        if not self._documents.delete("named", params["NamedQueryId"]):
            raise invalid(f"NamedQuery {params['NamedQueryId']} was not found")
        return {}

    def create_prepared(self, params: Params, _caller: Caller) -> Response:
        workgroup = self._workgroups.find(params["WorkGroup"])["Name"]
        key = f"{workgroup}/{params['StatementName']}"
        if self._documents.get("prepared", key):
            raise invalid(f"PreparedStatement {params['StatementName']} already exists in workGroup {workgroup}")
        self._keep(key, workgroup, params)
        return {}

    def update_prepared(self, params: Params, _caller: Caller) -> Response:
        self._prepared(params)
        workgroup = params["WorkGroup"]
        self._keep(f"{workgroup}/{params['StatementName']}", workgroup, params)
        return {}

    def delete_prepared(self, params: Params, _caller: Caller) -> Response:
        self._prepared(params)
        self._documents.delete("prepared", f"{params['WorkGroup']}/{params['StatementName']}")
        return {}

    def list_prepared(self, params: Params, _caller: Caller) -> Response:
        workgroup = self._workgroups.find(params["WorkGroup"])["Name"]
        statements = [
            {"StatementName": item["StatementName"], "LastModifiedTime": utc(item["_modified"])}
            for item in self._documents.all("prepared")
            if item["WorkGroup"] == workgroup
        ]
        items, more = page(statements, params)
        return {"PreparedStatements": list(items), **more}

    def batch_prepared(self, params: Params, _caller: Caller) -> Response:
        statements = []
        missing = []
        for name in params["PreparedStatementNames"]:
            try:
                statements.append(self._prepared({"WorkGroup": params["WorkGroup"], "StatementName": name}))
            except AwsError as error:
                missing.append({"StatementName": name, "ErrorCode": error.code, "ErrorMessage": error.message})
        return {"PreparedStatements": statements, "UnprocessedPreparedStatementNames": missing}

    def _keep(self, key: str, workgroup: str, params: Params) -> None:
        statement = {
            name: params[name] for name in ("StatementName", "QueryStatement", "Description") if params.get(name)
        }
        self._documents.put(
            "prepared", key, {**statement, "WorkGroup": workgroup, "_modified": time.time(), "_key": key}
        )

    def _named(self, key: str) -> Document:
        query = self._documents.get("named", key)
        if query is None:
            raise invalid(f"NamedQuery {key} was not found")
        return {name: query[name] for name in _NAMED if name in query}

    def _prepared(self, params: Params) -> Response:
        workgroup = params.get("WorkGroup") or PRIMARY
        statement = self._documents.get("prepared", f"{workgroup}/{params['StatementName']}")
        if statement is None:
            raise AwsError(
                "ResourceNotFoundException",
                f"PreparedStatement {params['StatementName']} was not found in workGroup {workgroup}",
                ResourceName=params["StatementName"],
            )
        names = ("StatementName", "QueryStatement", "Description")
        fields: Document = {name: statement[name] for name in names if name in statement}
        return {**fields, "WorkGroupName": workgroup, "LastModifiedTime": utc(statement["_modified"])}
