"""Airflow on ECS: the module applied to the local AWS, and what its containers would run held against this Airflow.

There are no containers here. The settings of the task definitions are compared with those that Airflow describes, the
commands with its command line; and the first commands of the scheduler's task run as ECS would run them, with its
environment and its secrets, on the database of the local RDS.
"""

import json
import os
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg
import pytest

from localaws.testing.patience import patient
from localaws.testing.server import LocalAws, running_localaws
from postrank.airflow_service.keys import fill
from postrank.aws import policies
from postrank.aws.resources import Resources
from tests.support.stack.terraform import ROOT, Terraform
from tests.support.stack.terraform_modules import NOT_KEPT, PLAN, changed, module, network

pytestmark = [pytest.mark.system, pytest.mark.slow, pytest.mark.timeout(patient(600))]

NAMES = Resources.of("dev", "123456789012")
NAME = NAMES.roles["airflow"]
IMAGE = f"123456789012.dkr.ecr.us-east-1.amazonaws.com/{NAME}@sha256:{'0' * 64}"
SERVICES = ("api-server", "dag-processor", "scheduler", "triggerer")
# Of Airflow's settings, those that are read before its configuration is.
BEFORE_CONFIGURATION = {"AIRFLOW_HOME", "AIRFLOW_CONN_AWS_DEFAULT"}
# Run by an interpreter that has Airflow: what it describes, and which of the command lines on stdin it cannot parse.
ASK_AIRFLOW = """
import contextlib, io, json, sys
from airflow.cli import cli_parser
from airflow.configuration import retrieve_configuration_description
parser = cli_parser.get_parser()
rejected = []
for words in json.load(sys.stdin):
    errors = io.StringIO()
    try:
        with contextlib.redirect_stderr(errors):
            parser.parse_args(words[1:])
    except SystemExit:
        rejected.append([words, errors.getvalue()[-300:]])
sections = retrieve_configuration_description(include_providers=True)
options = {section: sorted(described["options"]) for section, described in sections.items()}
print(json.dumps({"options": options, "rejected": rejected}))
"""


def of_airflow(aws: LocalAws, **other: object) -> dict[str, object]:
    """The module's variables, on a network that the test makes."""
    vpc, subnets = network(aws)
    aws.client("iam").create_role(RoleName=NAME, AssumeRolePolicyDocument=policies.trust("app", NAMES))
    connections = {"connections_prefix": "postrank-dev-connections", "variables_prefix": None, "config_prefix": None}
    return {
        "names": {"roles": {"airflow": NAME}},
        "airflow": {
            "parallelism": 8,
            "scheduler": {"cpu": 1024, "memory": 4096},
            "database_class": "db.t4g.micro",
            "database_version": "18",
            "sign_in": sign_in(aws),
        },
        "image": IMAGE,
        "role_arn": f"arn:aws:iam::123456789012:role/{NAME}",
        "policy": policies.policy("airflow-ecs", NAMES),
        "execution_policy": policies.policy("airflow-execution", NAMES),
        "trust": policies.trust("app", NAMES),
        "permissions_boundary": None,
        "secrets_backend_kwargs": json.dumps(connections),
        "environment": "dev",
        "account": NAMES.account,
        "region": NAMES.region,
        "warehouse_queue": "",
        "vpc_id": vpc,
        "cidr": "10.40.0.0/16",
        "private_subnets": subnets,
        "task_subnets": subnets,
        "require_tls": False,
        "protected": False,
        **other,
    }


def sign_in(aws: LocalAws) -> dict[str, object]:
    host = "airflow.example.com"
    return {
        "host": host,
        "certificate_arn": aws.client("acm").request_certificate(DomainName=host)["CertificateArn"],
        "cidrs": ["10.9.0.0/16"],
        "issuer": "https://id.example.com",
        "authorization_endpoint": "https://id.example.com/authorize",
        "token_endpoint": "https://id.example.com/token",
        "user_info_endpoint": "https://id.example.com/userinfo",
        "client_id": "airflow",
    }


@dataclass(frozen=True, slots=True)
class Applied:
    """The module, applied to a local AWS."""

    aws: LocalAws
    terraform: Terraform

    def containers(self) -> Iterator[tuple[str, dict[str, Any]]]:
        """The containers of each service, as their task definitions were registered."""
        ecs = self.aws.client("ecs")
        for service in ecs.describe_services(cluster=NAME, services=list(SERVICES))["services"]:
            task = ecs.describe_task_definition(taskDefinition=service["taskDefinition"])["taskDefinition"]
            for container in task["containerDefinitions"]:
                yield service["serviceName"], container

    def environment(self, container: Mapping[str, Any]) -> dict[str, str]:
        """What ECS gives a container, the values of its secrets included."""
        secrets = self.aws.client("secretsmanager")
        environment = {item["name"]: item["value"] for item in container["environment"]}
        for item in container["secrets"]:
            arn, key = re.fullmatch(r"(arn(?::[^:]+){6})(?::(\w+)::)?", item["valueFrom"]).groups()
            value = secrets.get_secret_value(SecretId=arn)["SecretString"]
            environment[item["name"]] = json.loads(value)[key] if key else value
        return environment


@pytest.fixture(scope="module")
def applied(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Applied]:
    folder = tmp_path_factory.mktemp("airflow-on-ecs")
    terraform = module(folder, "airflow_ecs")
    with running_localaws(folder) as aws:
        terraform.env |= aws.root_environment
        (terraform.folder / "module.tfvars.json").write_text(json.dumps(of_airflow(aws)), encoding="utf-8")
        terraform("init", "-input=false")
        terraform("apply", "-auto-approve", *PLAN)
        yield Applied(aws, terraform)
        terraform("destroy", "-auto-approve", *PLAN)
        (cluster,) = aws.client("ecs").describe_clusters(clusters=[NAME])["clusters"]
        assert (cluster["status"], cluster["activeServicesCount"]) == ("INACTIVE", 0)
        assert aws.client("elbv2").describe_load_balancers()["LoadBalancers"] == []
        assert aws.client("rds").describe_db_instances()["DBInstances"] == []
        assert aws.client("secretsmanager").list_secrets()["SecretList"] == []


def test_a_second_plan_changes_nothing(applied):
    assert changed(applied.terraform) <= NOT_KEPT


def test_four_services_of_one_image_have_health_checks_and_a_read_only_root(applied):
    assert sorted({service for service, _ in applied.containers()}) == list(SERVICES)
    for service, container in applied.containers():
        assert container["image"] == IMAGE
        assert container["readonlyRootFilesystem"] is True
        assert container["command"][:2] == ["bash", "-c"]  # what else the image's entrypoint gets, it gives to airflow
        assert ("healthCheck" in container) is (container["name"] == service)


def test_people_sign_in_at_a_load_balancer_whose_secret_is_not_in_the_state(applied):
    elb = applied.aws.client("elbv2")
    (balancer,) = elb.describe_load_balancers()["LoadBalancers"]
    (listener,) = elb.describe_listeners(LoadBalancerArn=balancer["LoadBalancerArn"])["Listeners"]
    assert balancer["Scheme"] == "internal"
    assert [action["Type"] for action in listener["DefaultActions"]] == ["authenticate-oidc", "forward"]
    actions = listener["DefaultActions"]
    actions[0]["AuthenticateOidcConfig"]["ClientSecret"] = "of-the-provider"
    elb.modify_listener(ListenerArn=listener["ListenerArn"], DefaultActions=actions)
    assert changed(applied.terraform) <= NOT_KEPT
    assert "of-the-provider" not in applied.terraform("show", "-json")


def test_airflow_has_every_setting_and_every_command_of_the_containers(applied):
    settings = set()
    commands = []
    for _, container in applied.containers():
        settings |= {item["name"] for item in (*container["environment"], *container["secrets"])}
        text = container["command"][-1]
        health = container.get("healthCheck", {"command": ["", ""]})["command"][-1]
        commands += [shlex.split(part) for part in (*text.split("&&"), health)]
    of_the_cli = [words for words in (_without_exec(words) for words in commands) if words[:1] == ["airflow"]]
    described = ask_airflow(of_the_cli, applied.terraform.folder)
    assert described["rejected"] == []
    assert len(of_the_cli) > 10
    assert {words[0] for words in map(_without_exec, commands) if words} == {"airflow", "postrank", "curl"}
    unknown = {
        name
        for name in settings - BEFORE_CONFIGURATION
        if name.startswith("AIRFLOW") and not _is_option(name, described["options"])
    }
    assert unknown == set()


def _without_exec(words: list[str]) -> list[str]:
    return words[1:] if words[:1] == ["exec"] else words


def _is_option(name: str, options: Mapping[str, list[str]]) -> bool:
    section, _, key = name.removeprefix("AIRFLOW__").lower().partition("__")
    return key in options.get(section, ())


def ask_airflow(commands: list[list[str]], folder: Path) -> dict[str, Any]:
    env = {**os.environ, "AIRFLOW_HOME": str(folder / "home"), "AIRFLOW__CORE__LOAD_EXAMPLES": "False"}
    answer = subprocess.run(
        [sys.executable, "-c", ASK_AIRFLOW],
        input=json.dumps(commands),
        capture_output=True,
        text=True,
        env=env,
        timeout=patient(120),
        check=False,
    )
    assert answer.returncode == 0, answer.stderr[-3000:]
    return dict(json.loads(answer.stdout.strip().splitlines()[-1]))


def test_the_scheduler_s_first_commands_migrate_the_database_under_their_own_role(applied, tmp_path):
    list(fill(applied.aws.client("secretsmanager"), NAME))
    role, scheduler = (container for service, container in applied.containers() if service == "scheduler")
    assert scheduler["dependsOn"] == [{"containerName": role["name"], "condition": "SUCCESS"}]
    assert "PGPASSWORD" in {item["name"] for item in scheduler["secrets"]}
    run(role["command"], applied.environment(role), tmp_path)
    environment = applied.environment(scheduler)
    migrate, pools, start = (part.strip() for part in scheduler["command"][-1].split("&&"))
    assert start == "exec airflow scheduler"
    run(shlex.split(migrate), environment, tmp_path)
    run(shlex.split(pools.replace("/opt/airflow/include", str(ROOT / "include"))), environment, tmp_path)
    run(shlex.split("airflow db check-migrations --migration-wait-timeout 1"), environment, tmp_path)
    with psycopg.connect(**login(environment)) as connection:
        (owner,) = connection.execute("select tableowner from pg_tables where tablename = 'dag_run'").fetchone()
        (superuser,) = connection.execute("select rolsuper from pg_roles where rolname = current_user").fetchone()
    assert (owner, superuser) == ("airflow", False)


def login(environment: Mapping[str, str]) -> dict[str, str]:
    """The connection of libpq that Airflow's URL and environment mean."""
    url = environment["AIRFLOW__DATABASE__SQL_ALCHEMY_CONN"]
    user, host, port, database = re.fullmatch(r"postgresql\+psycopg2://(\w+)@([^:]+):(\d+)/(\w+)", url).groups()
    return {"user": user, "host": host, "port": port, "dbname": database, "password": environment["PGPASSWORD"]}


def run(command: list[str], environment: Mapping[str, str], folder: Path) -> None:
    """Run a container's command here, with its environment and the folders of this machine."""
    inherited = {
        name: value for name, value in os.environ.items() if not name.startswith(("AIRFLOW", "PG", "POSTRANK"))
    }
    local = {
        "AIRFLOW_HOME": str(folder / "home"),
        "HOME": str(folder),
        "AIRFLOW__CORE__DAGS_FOLDER": str(folder / "dags"),
        "AIRFLOW__CORE__PLUGINS_FOLDER": str(folder / "plugins"),
        "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
    }
    finished = subprocess.run(
        command,
        capture_output=True,
        text=True,
        env={**inherited, **environment, **local},
        cwd=folder,
        timeout=patient(180),
        check=False,
    )
    assert finished.returncode == 0, finished.stdout[-2000:] + finished.stderr[-3000:]
