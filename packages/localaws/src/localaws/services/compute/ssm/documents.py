"""Command documents: their parameters checked and filled in, which gives the scripts to run.

"Schemas, features, and examples" and "Data elements and parameters" (Systems Manager user guide).
"""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass

from localaws.core.cloud import AwsError
from localaws.core.shapes import Structure

_DEFAULT_TIMEOUT = 3600.0  # seconds; aws:runShellScript, timeoutSeconds
_PLACEHOLDER = re.compile(r"\{\{\s*([A-Za-z0-9_]+)\s*\}\}")
RUN_SHELL_SCRIPT = {
    "schemaVersion": "2.2",
    "parameters": {
        "commands": {"type": "StringList"},
        "workingDirectory": {"type": "String", "default": ""},
        "executionTimeout": {"type": "String", "default": "3600", "allowedPattern": "([1-9][0-9]{0,5})"},
    },
    "mainSteps": [
        {
            "action": "aws:runShellScript",
            "name": "shellScript",
            "inputs": {
                "timeoutSeconds": "{{ executionTimeout }}",
                "workingDirectory": "{{ workingDirectory }}",
                "runCommand": "{{ commands }}",
            },
        }
    ],
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One script. `timeout` is in seconds; `ends` says that a failure ends the document."""

    name: str
    script: str
    timeout: float
    folder: str
    ends: bool


def steps(content: str, parameters: Mapping[str, list[str]]) -> list[Step]:
    """The scripts of a document with its parameters filled in. Raises AwsError InvalidDocument, InvalidParameters."""
    try:
        document = json.loads(content)
    except ValueError as error:
        raise AwsError("InvalidDocument", f"the document is not JSON: {error}") from error
    values = _values(document.get("parameters") or {}, parameters)
    return [_step(step, values) for step in document.get("mainSteps") or []]


def _values(declared: Structure, parameters: Mapping[str, list[str]]) -> dict[str, str | list[str]]:
    if unknown := sorted(parameters.keys() - declared.keys()):
        raise AwsError("InvalidParameters", f"document does not have the parameters {', '.join(unknown)}")
    return {name: _value(name, rule, parameters.get(name)) for name, rule in declared.items()}


def _value(name: str, rule: Structure, values: list[str] | None) -> str | list[str]:
    if values is None:
        if "default" not in rule:
            raise AwsError("InvalidParameters", f"Parameter {name} is required")
        default = rule["default"]
        return [str(value) for value in default] if isinstance(default, list) else str(default)
    is_list = rule.get("type") == "StringList"
    if not is_list and len(values) != 1:
        raise AwsError("InvalidParameters", f"Parameter {name} takes one value")
    for value in values:
        allowed = rule.get("allowedValues")
        pattern = rule.get("allowedPattern")
        if allowed and value not in allowed:
            raise AwsError("InvalidParameters", f"Parameter {name} has invalid value {value}; allowed are {allowed}")
        if pattern and not re.fullmatch(pattern, value):
            raise AwsError("InvalidParameters", f"Parameter {name} does not match the pattern {pattern}")
        most = rule.get("maxChars")
        if most and len(value) > int(most):
            raise AwsError("InvalidParameters", f"Parameter {name} is longer than {most} characters")
    return list(values) if is_list else values[0]


def _step(step: Structure, values: Mapping[str, str | list[str]]) -> Step:
    action = step.get("action")
    if action != "aws:runShellScript":
        raise AwsError("InvalidDocument", f"the local Run Command runs aws:runShellScript, not {action}")
    inputs = step.get("inputs") or {}
    return Step(
        name=str(step.get("name", "runShellScript")),
        script="\n".join(_lines(inputs.get("runCommand") or [], values)) + "\n",
        timeout=float(_filled(str(inputs.get("timeoutSeconds", "")), values) or _DEFAULT_TIMEOUT),
        folder=_filled(str(inputs.get("workingDirectory", "")), values),
        ends=step.get("onFailure") == "exit" or inputs.get("onFailure") == "exit",
    )


def _lines(run: str | list[str], values: Mapping[str, str | list[str]]) -> list[str]:
    """The script's lines; a line that is a list's placeholder alone becomes the list's items."""
    lines: list[str] = []
    for line in [run] if isinstance(run, str) else run:
        alone = _PLACEHOLDER.fullmatch(line.strip())
        value = values.get(alone[1]) if alone else None
        lines += value if isinstance(value, list) else [_filled(line, values)]
    return lines


def _filled(text: str, values: Mapping[str, str | list[str]]) -> str:
    def value(match: re.Match[str]) -> str:
        parameter = values.get(match[1])
        if parameter is None:
            raise AwsError("InvalidDocument", f"the document uses {match[1]}, which is no parameter of it")
        return parameter if isinstance(parameter, str) else json.dumps(parameter)

    return _PLACEHOLDER.sub(value, text)
