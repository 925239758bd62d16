"""Each role may do what it does, and nothing else: judged from the calls of every test that runs DAGs or the stack."""

from pathlib import Path

import pytest

from postrank.aws.resources import Resources
from tests.support import permissions

TESTS = Path(__file__).parents[1]
# Together these run every DAG, the faults that `supervise_streamer` heals, deployments, and the main job on a laptop's
# resources and on Terraform's. A new module of tests of DAGs counts by itself.
EVIDENCE = {
    *(TESTS / "dags").glob("test_*.py"),
    TESTS / "dags" / "test_maintenance.py",
    TESTS / "deploy" / "test_deploy.py",
    TESTS / "contract" / "test_streamer_as_its_role.py",
    TESTS / "system" / "test_terraform.py",
    TESTS / "system" / "test_up.py",
    TESTS / "system" / "app" / "test_app_of_a_run.py",
}
ROLES = sorted(Resources.of("local", "123456789012").roles)

pytestmark = pytest.mark.judges


@pytest.fixture(scope="module")
def all_ran() -> None:
    """Skips where the calls of some of the evidence are missing: what is uncalled can be told from all of it only."""
    ran = {TESTS.parent / module for module, slow in permissions.ran() if not slow}
    if missing := EVIDENCE - ran:
        pytest.skip(f"`make test` has run all but {len(missing)} modules of tests, {min(missing).name} among them")


@pytest.mark.parametrize("role", ROLES)
def test_a_role_was_refused_nothing(role: str) -> None:
    seen = permissions.called(role)
    if not seen:
        pytest.skip("no test that runs the product was asked for")
    assert {action: decisions for action, decisions in seen.items() if decisions != {"allowed"}} == {}


@pytest.mark.parametrize("role", ROLES)
def test_a_role_holds_no_action_that_it_never_called(role: str, all_ran: None) -> None:
    excepted = set(permissions.exceptions().get(role, {}))
    uncalled = permissions.held(role) - set(permissions.called(role))
    assert uncalled - excepted == set(), "take them out of the policy, or list them with a reason in uncalled.toml"
    assert excepted - uncalled == set(), "listed in uncalled.toml, but called or no longer held"


def test_every_exception_is_of_a_role_and_has_a_reason() -> None:
    excepted = permissions.exceptions()
    assert set(excepted) <= set(ROLES)
    assert all(len(reason.split()) > 3 for actions in excepted.values() for reason in actions.values())
