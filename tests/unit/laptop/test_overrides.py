"""Tokens in the environment of `make run` do not land in the unit's file."""

import tomllib

import pytest

from postrank.laptop.services.overrides import Overrides

SECRET = "postrank-local-x"
LITERAL = "AAAA-literal-token"
INSTANCES = f'[{{url = "https://a.example", token = "{LITERAL}"}}, {{url = "https://b.example", token = "env:OTHER"}}]'


@pytest.mark.parametrize(
    "environ",
    [
        {"POSTRANK_STREAM_SOURCE__BEARER_TOKEN": LITERAL},
        {"POSTRANK_STREAM_SOURCE__BEARER_TOKEN": f'"{LITERAL}"'},
        {"POSTRANK_STREAM_SOURCE__BEARER_TOKEN": "env:OTHER"},
        {"POSTRANK_STREAM_SOURCE__INSTANCES": INSTANCES},
    ],
    ids=["bare", "quoted", "of the environment", "nested"],
)
def test_a_token_is_replaced_by_a_reference_to_a_secret(environ: dict[str, str]) -> None:
    overrides = Overrides({**environ, "OTHER": LITERAL, "HOME": "/root"}, SECRET)
    variables = overrides.without_tokens()
    assert set(variables) == set(environ)
    assert LITERAL not in str(variables)
    assert set(overrides.tokens.values()) == {LITERAL}
    for number in overrides.tokens:
        assert f"secretsmanager:{SECRET}#{number}" in str(variables)


def test_a_nested_value_is_the_same_toml_but_for_its_tokens() -> None:
    variables = Overrides({"POSTRANK_STREAM_SOURCE__INSTANCES": INSTANCES}, SECRET).without_tokens()
    read = tomllib.loads(f"value = {variables['POSTRANK_STREAM_SOURCE__INSTANCES']}")["value"]
    assert [instance["url"] for instance in read] == ["https://a.example", "https://b.example"]
    assert [instance["token"] for instance in read] == [f"secretsmanager:{SECRET}#{n}" for n in (0, 1)]


@pytest.mark.parametrize("text", ["5", "true", '["wss://my.server"]', "plain text", "2026-11-24T05:00:00Z"])
def test_what_holds_no_token_stays_as_it_is(text: str) -> None:
    variables = Overrides({"POSTRANK_STREAM_SOURCE__HOSTS": text, "X": "y"}, SECRET).without_tokens()
    assert variables == {"POSTRANK_STREAM_SOURCE__HOSTS": text}


def test_a_reference_to_secrets_manager_stays_one() -> None:
    environ = {"POSTRANK_STREAM_SOURCE__BEARER_TOKEN": "secretsmanager:mine#key"}
    overrides = Overrides(environ, SECRET)
    assert overrides.without_tokens() == environ
    assert overrides.tokens == {}
