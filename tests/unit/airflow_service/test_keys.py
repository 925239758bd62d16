"""The keys of Airflow on ECS, in the Secrets Manager of a local AWS."""

import base64

import pytest

from localaws.testing.server import running_localaws
from postrank.airflow_service.keys import KEYS, KeyMissing, fill

PREFIX = "postrank-dev-airflow"


@pytest.fixture
def secrets(tmp_path):
    with running_localaws(tmp_path) as aws:
        client = aws.client("secretsmanager")
        for key in KEYS:
            client.create_secret(Name=f"{PREFIX}/{key}")
        yield client


def stored(secrets):
    return {key: secrets.get_secret_value(SecretId=f"{PREFIX}/{key}")["SecretString"] for key in KEYS}


def test_empty_keys_get_values_that_stay_until_one_is_renewed(secrets):
    assert [fresh for _, fresh in fill(secrets, PREFIX)] == [True] * len(KEYS)
    values = stored(secrets)
    assert len(set(values.values())) == len(KEYS)
    assert len(base64.urlsafe_b64decode(values["fernet-key"])) == 32
    assert [name for name, fresh in fill(secrets, PREFIX) if fresh] == []
    assert stored(secrets) == values
    assert [name for name, fresh in fill(secrets, PREFIX, ["jwt-secret"]) if fresh] == [f"{PREFIX}/jwt-secret"]
    assert {key for key, value in stored(secrets).items() if value != values[key]} == {"jwt-secret"}


def test_keys_that_terraform_has_not_created_are_named(secrets):
    with pytest.raises(KeyMissing, match="postrank-prod-airflow/fernet-key does not exist: set airflow_ecs"):
        list(fill(secrets, "postrank-prod-airflow"))
