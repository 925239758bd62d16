"""What each of Postrank's roles was seen to call while tests ran the product, and what its policies let it do.

Tests that run the product with IAM enforced hand their call logs to `gather`; tests/system/test_least_privilege.py
judges what came together.
"""

import json
import re
import tomllib
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from postrank.aws import policies
from postrank.aws.resources import Resources

NAMES = Resources.of("local", "123456789012")
POLICIES = Path(policies.__file__).parent / "policies"
_ROLE = re.compile(r":assumed-role/([^/]+)/")
_purposes = {name: purpose for purpose, name in NAMES.roles.items()}
_seen: dict[str, dict[str, set[str]]] = {purpose: {} for purpose in NAMES.roles}


def gather(calls: Iterable[Mapping[str, Any]]) -> None:
    """Take a local AWS's call log into account: which role was allowed, or refused, which action."""
    for call in calls:
        found = _ROLE.search(str(call["principal"]))
        if found and (purpose := _purposes.get(found[1])):
            decisions = _seen[purpose].setdefault(f"{call['service']}:{call['action']}", set())
            decisions.add(call["decision"] if call["decision"] == "allowed" else f"refused on {call['resource']}")


def called(role: str) -> dict[str, set[str]]:
    """The actions that a role called so far; "allowed" and what it was refused on, for each."""
    return _seen[role]


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
