"""What each of Postrank's roles was seen to call while tests ran the product, and what its policies let it do.

Tests that run the product with IAM enforced hand their call logs to `gather`, which keeps them as files: tests run in
several processes. tests/system/test_least_privilege.py judges them when all others have ended.
"""

import json
import re
import shutil
import tomllib
import uuid
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from postrank.aws import policies
from postrank.aws.resources import Resources

NAMES = Resources.of("local", "123456789012")
POLICIES = Path(policies.__file__).parent / "policies"
_ROLE = re.compile(r":assumed-role/([^/]+)/")
_purposes = {name: purpose for purpose, name in NAMES.roles.items()}
EVIDENCE = Path(__file__).parents[2] / "var" / "test-artifacts" / "calls"
_RAN = "ran.json"  # the modules of tests that ran to their end


def forget() -> None:
    """Begin afresh: what was gathered belongs to an earlier run of the tests."""
    shutil.rmtree(EVIDENCE, ignore_errors=True)


def gather(calls: Iterable[Mapping[str, Any]]) -> None:
    """Take a local AWS's call log into account: which role was allowed, or refused, which action."""
    seen: dict[str, dict[str, list[str]]] = {}
    for call in calls:
        found = _ROLE.search(str(call["principal"]))
        if found and (purpose := _purposes.get(found[1])):
            decisions = seen.setdefault(purpose, {}).setdefault(f"{call['service']}:{call['action']}", [])
            decision = call["decision"] if call["decision"] == "allowed" else f"refused on {call['resource']}"
            if decision not in decisions:
                decisions.append(decision)
    _write(f"{uuid.uuid4()}.calls.json", seen)


def called(role: str) -> dict[str, set[str]]:
    """The actions that a role was seen to call; "allowed" and what it was refused on, for each."""
    found: dict[str, set[str]] = {}
    for path in EVIDENCE.glob("*.calls.json"):
        for action, decisions in json.loads(path.read_text()).get(role, {}).items():
            found.setdefault(action, set()).update(decisions)
    return found


def note_ran(modules: Iterable[tuple[str, bool]]) -> None:
    """Note which modules of tests, by their paths from the checkout, have run: their slow tests, or the others."""
    _write(_RAN, sorted({*modules, *ran()}))


def ran() -> set[tuple[str, bool]]:
    """The modules whose calls were gathered, each with whether those were its slow tests."""
    path = EVIDENCE / _RAN
    return {(module, slow) for module, slow in json.loads(path.read_text())} if path.exists() else set()


def _write(name: str, told: Any) -> None:
    EVIDENCE.mkdir(parents=True, exist_ok=True)
    (EVIDENCE / name).write_text(json.dumps(told))


def part(name: str) -> list[dict[str, Any]]:
    """The statements of one policy document."""
    found: list[dict[str, Any]] = json.loads(policies.policy(name, NAMES))["Statement"]
    return found


def held(role: str) -> set[str]:
    """The actions that a role is allowed by all of its policies: `<role>.json` and `<role>-<part>.json`."""
    parts = [path.stem for path in POLICIES.glob(f"{role}*.json") if not path.stem.endswith(".trust")]
    return {action for name in parts for statement in part(name) for action in statement["Action"]}


def exceptions() -> dict[str, dict[str, str]]:
    """By role, the actions that it holds though no test sees it call them, each with the reason."""
    return tomllib.loads((Path(__file__).parent / "uncalled.toml").read_text(encoding="utf-8"))
