"""The language of policies: which requests a statement is about, and what statements decide together.

Pages "IAM JSON policy element reference", "Policy evaluation logic", "Condition operators".
"""

import json

import pytest

from localaws.iam.conditions import UnknownOperator, holds
from localaws.iam.decision import Decision, Policies, decide
from localaws.iam.policy import Ask, MalformedPolicy, Requester, statements

ACCOUNT = "123456789012"
ROLE = f"arn:aws:iam::{ACCOUNT}:role/reader"
SESSION = Requester(arn=f"arn:aws:sts::{ACCOUNT}:assumed-role/reader/s", account=ACCOUNT, role=ROLE)
ROOT = Requester(arn=f"arn:aws:iam::{ACCOUNT}:root", account=ACCOUNT)
FIREHOSE = Requester(arn=ROLE, account=ACCOUNT, role=ROLE, service="firehose.amazonaws.com")
KEY = "arn:aws:s3:::lake/posts/a.gz"


def policy(effect: str = "Allow", **elements: object) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": {"Effect": effect, **elements}})


ALL = policy(Action="*", Resource="*")


def ask(action: str = "s3:GetObject", resource: str = KEY, who: Requester = SESSION, **context: list[str]) -> Ask:
    keys = {name.replace("__", ":").replace("_", "-").lower(): values for name, values in context.items()}
    return Ask(who=who, action=action, resource=resource, context=keys)


@pytest.mark.parametrize(
    ("elements", "applies"),
    [
        ({"Action": "s3:GetObject"}, True),
        ({"Action": "S3:getobject"}, True),
        ({"Action": "s3:Get*"}, True),
        ({"Action": "s3:GetObjec?"}, True),
        ({"Action": "s3:GetObject?"}, False),
        ({"Action": "s3:GetObjectAcl"}, False),
        ({"Action": ["s3:Put*", "S3:GET*"]}, True),
        ({"Action": []}, False),
        ({"NotAction": "s3:GetObject"}, False),
        ({"NotAction": "S3:GETOBJECT"}, False),
        ({"NotAction": "S3:gEt*"}, False),
        ({"NotAction": ["iam:*", "s3:put*"]}, True),
    ],
)
def test_actions_fit_whatever_their_case(elements, applies):
    (statement,) = statements(policy(Resource="*", **elements))
    assert statement.applies(ask()) is applies


@pytest.mark.parametrize(
    ("elements", "applies"),
    [
        ({"Resource": KEY}, True),
        ({"Resource": KEY.upper()}, False),
        ({"Resource": "arn:aws:s3:::LAKE/*"}, False),
        ({"Resource": "arn:aws:s3:::lake/*"}, True),
        ({"Resource": "arn:aws:s3:::lake/posts/?.gz"}, True),
        ({"Resource": "arn:aws:s3:::lake"}, False),
        ({"Resource": "arn:aws:*/a.gz"}, False),  # a wildcard stays in its part of the ARN
        ({"Resource": "arn:*:s3:::lake/posts/a.gz"}, True),
        ({"Resource": "arn:aws:s3:::lake/posts/[a].gz"}, False),
        ({"NotResource": KEY}, False),
        ({"NotResource": "arn:aws:s3:::other/*"}, True),
        ({"NotResource": ["arn:aws:s3:::other/*", "arn:aws:s3:::lake/*"]}, False),
        ({}, True),  # a trust policy
        ({"Resource": "arn:aws:s3:::lake/${aws:Team}/a.gz"}, True),
        ({"Resource": "arn:aws:s3:::lake/${AWS:team}/a.gz"}, True),
        ({"Resource": "arn:aws:s3:::lake/${aws:Teams}/a.gz"}, False),  # the request lacks it
        ({"Resource": "arn:aws:s3:::lake/${aws:Both}/a.gz"}, False),  # it has two values
        ({"Resource": "arn:aws:s3:::lake/${aws:Teams, 'posts'}/a.gz"}, True),
        ({"NotResource": "arn:aws:s3:::lake/${aws:Teams}/a.gz"}, True),
    ],
)
def test_resources_fit_part_by_part_and_in_their_case(elements, applies):
    (statement,) = statements(policy(Action="s3:GetObject", **elements))
    assert statement.applies(ask(aws__team=["posts"], aws__both=["posts", "x"])) is applies


@pytest.mark.parametrize(
    ("literal", "matches", "fails"), [("*", "a*b", "axb"), ("?", "a?b", "axb"), ("$", "a$b", "ab")]
)
def test_a_variable_stands_for_a_wildcard_as_a_character(literal, matches, fails):
    (statement,) = statements(policy(Action="*", Resource=f"arn:aws:s3:::lake/a${{{literal}}}b"))
    assert statement.applies(ask(resource=f"arn:aws:s3:::lake/{matches}"))
    assert not statement.applies(ask(resource=f"arn:aws:s3:::lake/{fails}"))


@pytest.mark.parametrize(
    ("principal", "who", "named"),
    [
        ({"Principal": "*"}, SESSION, "directly"),
        ({"Principal": {"AWS": "*"}}, FIREHOSE, "directly"),
        ({"Principal": {"AWS": ROLE}}, SESSION, "directly"),
        ({"Principal": {"AWS": SESSION.arn}}, SESSION, "directly"),
        ({"Principal": {"AWS": ["arn:aws:iam::1:root", ROLE]}}, SESSION, "directly"),
        ({"Principal": {"AWS": ACCOUNT}}, SESSION, "account"),
        ({"Principal": {"AWS": f"arn:aws:iam::{ACCOUNT}:root"}}, SESSION, "account"),
        ({"Principal": {"AWS": f"arn:aws:iam::{ACCOUNT}:root"}}, ROOT, "directly"),
        ({"Principal": {"AWS": ACCOUNT}}, FIREHOSE, ""),
        ({"Principal": {"Service": "firehose.amazonaws.com"}}, FIREHOSE, "directly"),
        ({"Principal": {"Service": ["ec2.amazonaws.com", "firehose.amazonaws.com"]}}, FIREHOSE, "directly"),
        ({"Principal": {"Service": "ec2.amazonaws.com"}}, FIREHOSE, ""),
        ({"Principal": {"Service": "firehose.amazonaws.com"}}, SESSION, ""),
        ({"NotPrincipal": {"AWS": ROLE}}, SESSION, ""),
        ({"NotPrincipal": {"AWS": ROLE}}, ROOT, "directly"),
        ({}, SESSION, ""),
    ],
)
def test_a_principal_is_named_directly_or_by_its_account(principal, who, named):
    (statement,) = statements(policy(Action="*", Resource="*", **principal))
    assert statement.names(who) == named


CONTEXT = {
    "k": ["b"],
    "many": ["a", "b"],
    "n": ["5"],
    "t": ["2026-01-02T00:00:00Z"],
    "ip": ["10.1.2.3"],
    "flag": ["true"],
}


@pytest.mark.parametrize(
    ("operator", "key", "expected", "outcome"),
    [
        ("StringEquals", "K", ["a", "b"], True),
        ("StringEquals", "k", ["B"], False),
        ("StringNotEquals", "k", ["a"], True),
        ("StringNotEquals", "k", ["a", "b"], False),
        ("StringEqualsIgnoreCase", "k", ["B"], True),
        ("StringEqualsIgnoreCase", "k", ["C"], False),
        ("StringNotEqualsIgnoreCase", "k", ["B"], False),
        ("StringLike", "k", ["?"], True),
        ("StringLike", "k", ["??"], False),
        ("StringNotLike", "k", ["*"], False),
        ("BinaryEquals", "k", ["b"], True),
        ("BinaryEquals", "k", ["a"], False),
        ("Bool", "flag", ["TRUE"], True),
        ("Bool", "flag", ["false"], False),
        ("NumericEquals", "n", ["5.0"], True),
        ("NumericEquals", "n", ["6"], False),
        ("NumericNotEquals", "n", ["5"], False),
        ("NumericLessThan", "n", ["5"], False),
        ("NumericLessThan", "n", ["6"], True),
        ("NumericLessThanEquals", "n", ["5"], True),
        ("NumericLessThanEquals", "n", ["4"], False),
        ("NumericGreaterThan", "n", ["5"], False),
        ("NumericGreaterThan", "n", ["4"], True),
        ("NumericGreaterThanEquals", "n", ["5"], True),
        ("NumericGreaterThanEquals", "n", ["6"], False),
        ("DateEquals", "t", ["2026-01-02T01:00:00+01:00"], True),
        ("DateEquals", "t", ["2026-01-02"], True),
        ("DateEquals", "t", ["1767312000"], True),
        ("DateEquals", "t", ["1767312001"], False),
        ("DateNotEquals", "t", ["2026-01-02T00:00:00Z"], False),
        ("DateLessThan", "t", ["2026-01-02T00:00:00Z"], False),
        ("DateLessThan", "t", ["2026-01-02T00:00:01Z"], True),
        ("DateLessThanEquals", "t", ["2026-01-02T00:00:00Z"], True),
        ("DateLessThanEquals", "t", ["2026-01-01T23:59:59Z"], False),
        ("DateGreaterThan", "t", ["2026-01-02T00:00:00Z"], False),
        ("DateGreaterThan", "t", ["2026-01-01T23:59:59Z"], True),
        ("DateGreaterThanEquals", "t", ["2026-01-02T00:00:00Z"], True),
        ("DateGreaterThanEquals", "t", ["2026-01-02T00:00:01Z"], False),
        ("IpAddress", "ip", ["10.1.0.0/16"], True),
        ("IpAddress", "ip", ["10.1.2.4/31", "10.1.2.3"], True),
        ("IpAddress", "ip", ["10.2.0.0/16"], False),
        ("NotIpAddress", "ip", ["10.1.9.9/16"], False),
        ("ArnLike", "k", ["*"], True),
        ("ArnEquals", "k", ["arn:aws:s3:::b"], False),
        ("ArnNotLike", "k", ["*"], False),
        ("ArnNotEquals", "k", ["arn:aws:s3:::b"], True),
        ("Null", "k", ["false"], True),
        ("Null", "k", ["TRUE"], False),
        ("Null", "none", ["true"], True),
        ("Null", "none", ["false"], False),
        ("StringEquals", "none", ["a"], False),
        ("StringNotEquals", "none", ["a"], True),
        ("StringEqualsIfExists", "none", ["a"], True),
        ("StringEqualsIfExists", "k", ["a"], False),
        ("ForAllValues:StringEquals", "many", ["a", "b", "c"], True),
        ("ForAllValues:StringEquals", "many", ["a"], False),
        ("ForAllValues:StringEquals", "none", ["a"], True),
        ("ForAnyValue:StringEquals", "many", ["a"], True),
        ("ForAnyValue:StringEquals", "many", ["c"], False),
        ("ForAnyValue:StringEquals", "none", ["a"], False),
        ("ForAnyValue:StringNotEquals", "many", ["a"], True),
        ("ForAnyValue:StringNotEquals", "none", ["a"], False),
        ("ForAllValues:StringNotEquals", "many", ["a"], False),
    ],
)
def test_a_condition_holds_as_its_operator_says(operator, key, expected, outcome):
    assert holds(operator, key, expected, CONTEXT) is outcome


@pytest.mark.parametrize(
    ("operator", "literal", "holds_of"),
    [
        ("StringEquals", "*", {"*": True, "x": False}),
        ("StringEqualsIgnoreCase", "?", {"?": True, "x": False}),
        ("StringLike", "*", {"*": True, "x": False}),
        ("StringLike", "?", {"?": True, "x": False}),
        ("StringNotLike", "?", {"?": False, "x": True}),
    ],
)
def test_a_condition_with_such_a_variable_means_the_character(operator, literal, holds_of):
    (statement,) = statements(policy(Action="*", Resource="*", Condition={operator: {"k": f"${{{literal}}}"}}))
    assert {value: statement.applies(ask(k=[value])) for value in holds_of} == holds_of


def test_all_lines_of_a_condition_must_hold_and_an_unknown_operator_is_an_error():
    block = {"StringEquals": {"k": "b", "n": ["5", "6"]}, "Bool": {"flag": True}}
    (statement,) = statements(policy(Action="*", Resource="*", Condition=block))
    assert statement.applies(ask(k=["b"], n=["6"], flag=["true"]))
    assert not statement.applies(ask(k=["b"], n=["7"], flag=["true"]))
    assert not statement.applies(ask(k=["b"], n=["5"], flag=["false"]))
    with pytest.raises(UnknownOperator, match="StringIs is no condition operator"):
        holds("StringIs", "k", ["b"], CONTEXT)


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"Statement": [1]}', policy("Permit", Action="*", Resource="*")])
def test_a_text_that_is_no_policy_is_malformed(text):
    with pytest.raises(MalformedPolicy, match="no policy document"):
        statements(text)


NONE = policy(Action="iam:*", Resource="*")
DENY = policy("Deny", Action="s3:*", Resource="*")
GRANT = policy(Action="*", Resource="*", Principal={"AWS": ROLE})
DELEGATE = policy(Action="*", Resource="*", Principal={"AWS": ACCOUNT})
OTHER = policy(Action="*", Resource="*", Principal={"AWS": "arn:aws:iam::1:root"})
EXPLICIT = "with an explicit deny in {} policy"
ONLY_RESOURCE = {"resource_decides": True}
MISSING = "because no {} allows the s3:GetObject action"


@pytest.mark.parametrize(
    ("who", "policies", "reason"),
    [
        (SESSION, {}, MISSING.format("identity-based policy")),
        (SESSION, {"identity": [NONE]}, MISSING.format("identity-based policy")),
        (SESSION, {"identity": [NONE, ALL]}, ""),
        (SESSION, {"identity": [ALL, DENY]}, EXPLICIT.format("an identity-based")),
        (SESSION, {"identity": [ALL], "boundary": ALL}, ""),
        (SESSION, {"identity": [ALL], "boundary": NONE}, MISSING.format("permissions boundary")),
        (SESSION, {"identity": [ALL], "boundary": DENY}, EXPLICIT.format("a permissions boundary")),
        (SESSION, {"identity": [ALL], "session": [ALL]}, ""),
        (SESSION, {"identity": [ALL], "session": []}, MISSING.format("session policy")),
        (SESSION, {"identity": [ALL], "session": [ALL, DENY]}, EXPLICIT.format("a session")),
        (SESSION, {"resource": GRANT}, ""),
        (SESSION, {"resource": DELEGATE}, MISSING.format("identity-based policy")),
        (SESSION, {"resource": DELEGATE, "identity": [ALL]}, ""),
        (SESSION, {"resource": OTHER, "identity": [ALL]}, ""),
        (SESSION, {"resource": GRANT.replace("Allow", "Deny"), "identity": [ALL]}, EXPLICIT.format("a resource-based")),
        (SESSION, {"resource": OTHER.replace("Allow", "Deny"), "identity": [ALL]}, ""),
        (
            SESSION,
            {"resource": OTHER, "identity": [ALL], "resource_decides": True},
            MISSING.format("resource-based policy"),
        ),
        (SESSION, {"resource": DELEGATE, "identity": [ALL], "resource_decides": True}, ""),
        (SESSION, {"resource": DELEGATE, "resource_decides": True}, MISSING.format("identity-based policy")),
        (ROOT, {"identity": [DENY]}, ""),
        (ROOT, {"boundary": NONE}, MISSING.format("permissions boundary")),
        (FIREHOSE, {"identity": [ALL]}, MISSING.format("resource-based policy")),
        (FIREHOSE, {"resource": DELEGATE, "identity": [ALL]}, MISSING.format("resource-based policy")),
        (FIREHOSE, {"resource": policy(Action="*", Principal={"Service": FIREHOSE.service})}, ""),
    ],
)
def test_policies_decide_together_and_a_refusal_names_the_one_that_is_missing(who, policies, reason):
    assert decide(ask(who=who), Policies(**policies)) == Decision(not reason, reason)
