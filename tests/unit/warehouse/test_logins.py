"""Logins from the environment: IAM tokens are signed for the user and the server, anew for each connection."""

from urllib.parse import parse_qs, urlsplit

import boto3
import pytest

from postrank.warehouse.connection import Login, conninfo
from postrank.warehouse.login import PortUnusable, WarehouseNotConfigured, credentials_of, server_of

REMOTE = {
    "POSTRANK_WAREHOUSE_HOST": "db.example.com",
    "POSTRANK_WAREHOUSE_ROOT_CERTIFICATE": "/etc/rds.pem",
    "POSTRANK_WAREHOUSE_USER": "postrank_reader",
}


def client(service):
    return boto3.client(
        service, region_name="us-east-1", aws_access_key_id="AKIAEXAMPLE", aws_secret_access_key="an-example"
    )


def test_a_token_of_the_iam_identity_replaces_a_password():
    environment = {**REMOTE, "POSTRANK_WAREHOUSE_IAM": "1"}
    server = server_of(environment)
    login = credentials_of(environment, server, client)()
    token = urlsplit(f"//{login.password}")
    assert (login.user, token.hostname, token.port) == ("postrank_reader", "db.example.com", 5432)
    query = {name: values[0] for name, values in parse_qs(token.query).items()}
    assert (query["Action"], query["DBUser"], query["X-Amz-Expires"]) == ("connect", "postrank_reader", "900")
    assert "/us-east-1/rds-db/" in query["X-Amz-Credential"]
    assert login.password not in repr(login)


def test_a_server_that_is_not_on_loopback_is_verified():
    login = Login(user="postrank_reader", password="secret")
    assert "sslmode=verify-full" in conninfo(server_of(REMOTE), login)
    assert "sslrootcert=/etc/rds.pem" in conninfo(server_of(REMOTE), login)
    assert "sslmode=disable" in conninfo(server_of({"POSTRANK_WAREHOUSE_HOST": "127.0.0.1"}), login)


@pytest.mark.parametrize(
    ("missing", "variable"),
    [
        ("POSTRANK_WAREHOUSE_HOST", "POSTRANK_WAREHOUSE_HOST"),
        ("POSTRANK_WAREHOUSE_ROOT_CERTIFICATE", "POSTRANK_WAREHOUSE_ROOT_CERTIFICATE"),
        ("POSTRANK_WAREHOUSE_USER", "POSTRANK_WAREHOUSE_USER"),
        ("", "PGPASSWORD"),
    ],
)
def test_what_an_environment_lacks_is_named(missing, variable):
    environment = {name: value for name, value in REMOTE.items() if name != missing}
    with pytest.raises(WarehouseNotConfigured, match=variable):
        credentials_of(environment, server_of(environment), client)


def test_a_port_is_a_number():
    with pytest.raises(PortUnusable, match="five"):
        server_of({**REMOTE, "POSTRANK_WAREHOUSE_PORT": "five"})
