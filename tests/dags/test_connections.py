"""Airflow's connections out of Secrets Manager, through the backend that MWAA has, under Airflow's role."""

import json

import pytest

from tests.dags.conftest import NAMES

CONNECTIONS = [name for name in NAMES.secrets.values() if "-connections/" in name]


@pytest.fixture
def backend(aws, monkeypatch):
    from airflow.providers.amazon.aws.secrets.secrets_manager import SecretsManagerBackend

    monkeypatch.setenv("AWS_ENDPOINT_URL", aws.endpoint)  # Airflow's connection to AWS is none of the backend's
    return SecretsManagerBackend(connections_prefix=CONNECTIONS[0].rpartition("/")[0])


def test_every_connection_that_switches_something_on_has_a_secret():
    from postrank_airflow.connections import alerts, warehouse, x_api

    wanted = {alerts.WEBHOOK_CONNECTION, warehouse.CONNECTION, x_api.CONNECTION}
    assert {name.rpartition("/")[2] for name in CONNECTIONS} == wanted


@pytest.mark.parametrize("secret", CONNECTIONS)
def test_a_secret_is_no_connection_until_somebody_puts_a_value_in(aws, backend, secret):
    connection, secrets = secret.rpartition("/")[2], aws.client("secretsmanager")
    secrets.create_secret(Name=secret)  # as Terraform does
    assert backend.get_connection(connection) is None
    secrets.put_secret_value(SecretId=secret, SecretString=json.dumps({"conn_type": "http", "password": "one"}))
    assert backend.get_connection(connection).password == "one"
