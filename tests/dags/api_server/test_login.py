"""The settings of a run's login, as Airflow itself understands them."""

import os
import subprocess
import sys

import pytest

from localaws.testing.patience import patient
from postrank.laptop.services import login

PROGRAM = """
import json, sys
from starlette.testclient import TestClient
from airflow.api_fastapi.app import create_auth_manager
manager = create_auth_manager()
manager.init()
client = TestClient(manager.get_fastapi_app())
users = [("admin", sys.argv[1]), ("admin", "wrong"), ("anyone", sys.argv[1]), ("admin", "")]
statuses = [client.post("/token", json={"username": user, "password": word}).status_code for user, word in users]
rights = [manager.is_authorized_connection(method="DELETE", user=user) for user in manager.get_users()]
print(json.dumps([statuses, client.get("/token").status_code, client.get("/token/login").status_code, rights]))
"""


@pytest.mark.timeout(patient(300))
def test_only_the_generated_password_opens_airflow(tmp_path):
    path = tmp_path / "passwords.json"
    environment = {
        **{name: value for name, value in os.environ.items() if not name.startswith("AIRFLOW")},
        **login.settings(path),
        "AIRFLOW_HOME": str(tmp_path),
        "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
        "AIRFLOW__API_AUTH__JWT_SECRET": "j" * 96,
    }
    words = [sys.executable, "-c", PROGRAM, login.password(path)]
    ended = subprocess.run(words, env=environment, capture_output=True, text=True, check=False, timeout=patient(200))
    assert ended.returncode == 0, ended.stderr
    assert ended.stdout.splitlines()[-1] == "[[201, 401, 401, 400], 403, 403, [true]]"
    assert login.password(path) not in ended.stderr + ended.stdout
