"""What Athena's analyzer rejects is rejected before anything runs, and syntax of other engines is no syntax here."""

import pytest
from botocore.exceptions import ClientError


@pytest.mark.parametrize(
    ("sql", "reason"),
    [
        ("select '1' = 1", "TYPE_MISMATCH: line 1:12: Cannot apply operator: varchar(1) = integer"),
        ("select 'a' || 1", "FUNCTION_NOT_FOUND: line 1:12: Unexpected parameters (varchar(1), integer)"),
        ("select 1 in ('a')", "TYPE_MISMATCH: line 1:10: IN value and list items must be the same type"),
        ("select x from (values 1) as t (x) join (values 'a') as u (y) on x = y", "TYPE_MISMATCH: line 1:67"),
        ("select 1 union all select 'a'", "TYPE_MISMATCH: line 1:10: column 1 in UNION query"),
        ("select case when true then 1 else 'a' end", "TYPE_MISMATCH: line 1:8: All CASE results must be"),
        ("select now() >= '2024-01-01'", "TYPE_MISMATCH: line 1:14: Cannot apply operator: timestamp(3) with"),
        ("select 1 from (values 1) as t (x) where x", "TYPE_MISMATCH: line 1:41: WHERE clause must"),
        ("select length(1)", "FUNCTION_NOT_FOUND: line 1:8: Unexpected parameters (integer) for function length"),
        ("select x, count(*) from (values 1) as t (x)", "EXPRESSION_NOT_AGGREGATE: line 1:8: 'x' must be"),
        ("select x from (values 1) as t (x) where count(*) > 1", "EXPRESSION_NOT_SCALAR"),
        ("select distinct x from (values (1, 2)) as t (x, y) order by y", "EXPRESSION_NOT_IN_DISTINCT"),
        ("select concat(null, null)", "AMBIGUOUS_FUNCTION_CALL: line 1:8: Could not choose a best candidate operator"),
        ("select json_extract('{}', '$.a[*].b')", "INVALID_FUNCTION_ARGUMENT: Invalid JSON path: '$.a[*].b'"),
        ("select extract(epoch from date '2024-01-01')", "SYNTAX_ERROR: line 1:8: Invalid EXTRACT field: epoch"),
    ],
)  # fmt: skip
def test_a_query_of_unfit_types_fails_with_line_and_column(queries, sql, reason):
    assert queries.failure(sql).startswith(reason)


@pytest.mark.parametrize(
    "sql",
    [
        "select '1'::integer",
        "select [1, 2]",
        "from (values 1) as t (x)",
        "select * exclude (x) from (values 1) as t (x)",
        "select x from (values 1) as t (x) group by all",
        "select x from (values 1) as t (x) limit 1 offset 1",
        "select x from (values 1) as t (x) qualify row_number() over (order by x) = 1",
        "select `x` from (values 1) as t (x)",
        "select 1 = 1 = true",
        "select {'a': 1}",
        "select x from (values 1) t(x) where x ilike 'a'",
    ],
)
def test_syntax_of_other_engines_does_not_start(queries, sql):
    with pytest.raises(ClientError) as caught:
        queries.start(sql)
    assert "line 1:" in caught.value.response["Error"]["Message"]
