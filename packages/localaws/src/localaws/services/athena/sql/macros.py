"""SQL macros that give DuckDB the meaning that Athena's engine (Trino) has for casts, division, dates and times.

Where the meaning depends on an argument's type, a macro asks typeof(), which DuckDB settles when it plans. Macros with
one body per type (a_trunc, a_add, a_plus, a_minus) are chosen before aggregates have a type: see `translate`. What
Trino refuses at run time is made to fail as a cast that cannot succeed: such a failure, unlike error(), TRY can catch.
"""

_INTEGERS = {"bigint": "BIGINT", "integer": "INTEGER", "smallint": "SMALLINT", "tinyint": "TINYINT"}
_FLOATING = "typeof(x) in ('DOUBLE', 'FLOAT')"
_EITHER_FLOATING = "(typeof(x) in ('DOUBLE', 'FLOAT') or typeof(y) in ('DOUBLE', 'FLOAT'))"
_DATES = "'DATE', 'TIMESTAMP', 'TIMESTAMP_MS', 'TIMESTAMP WITH TIME ZONE'"
_DECIMAL = "(typeof(x) like 'DECIMAL%' or typeof(y) like 'DECIMAL%')"


def _integer_cast(name: str, kind: str) -> str:
    # Trino rounds half away from zero and takes digits only from text.
    return f"""create macro a_{name}(x) as case
        when typeof(x) = 'VARCHAR' then (case when regexp_full_match(x::VARCHAR, '[+-]?[0-9]+') then x::VARCHAR
            else 'INVALID_CAST_ARGUMENT: Cannot cast ''' || x::VARCHAR || ''' to {kind}' end)::{kind}
        when {_FLOATING} then round(try_cast(x as DOUBLE))::{kind}
        else x::{kind} end;"""


_JAVA_DOUBLE = """case
    when d is null then null when isnan(d) then 'NaN'
    when isinf(d) then (case when d > 0 then 'Infinity' else '-Infinity' end)
    when d = 0 or (abs(d) >= 1e-3 and abs(d) < 1e7) then d::VARCHAR
    else 'NOT_SUPPORTED: a double of this size as text is not supported by the local engine'::TINYINT::VARCHAR end"""

_TIMESTAMP_TEXT = r"[+-]?\d{4,}-\d{1,2}-\d{1,2}( \d{1,2}:\d{1,2}(:\d{1,2}(\.\d{1,12})?)?)?"
_ZONED_TEXT = r"\d{4}-\d\d-\d\d( \d\d:\d\d(:\d\d(\.\d+)?)?)?( ?(UTC|Z|[+-]\d\d:\d\d))?"
_OWN_ZONE = "a timestamp that keeps a zone other than UTC is not supported by the local engine; use AT TIME ZONE"

_SCRIPT = rf"""
create macro a_java_double(d) as {_JAVA_DOUBLE};
create macro a_varchar(x) as case
    when typeof(x) = 'DOUBLE' then a_java_double(try_cast(x::VARCHAR as DOUBLE))
    when typeof(x) = 'FLOAT' then 'NOT_SUPPORTED: a real as text is not supported by the local engine'::TINYINT::VARCHAR
    when typeof(x) in ('TIMESTAMP', 'TIMESTAMP_MS')
        then strftime(try_cast(x::VARCHAR as TIMESTAMP), '%Y-%m-%d %H:%M:%S.%g')
    when typeof(x) = 'TIMESTAMP WITH TIME ZONE'
        then strftime(try_cast(x::VARCHAR as TIMESTAMP), '%Y-%m-%d %H:%M:%S.%g') || ' UTC'
    else x::VARCHAR end;
create macro a_double(x) as x::DOUBLE;
create macro a_real(x) as x::FLOAT;
create macro a_boolean(x) as case
    when typeof(x) = 'VARCHAR' and lower(x::VARCHAR) not in ('t', 'true', '1', 'f', 'false', '0')
    then ('INVALID_CAST_ARGUMENT: Cannot cast ''' || x::VARCHAR || ''' to BOOLEAN')::TINYINT::BOOLEAN
    else x::BOOLEAN end;
create macro a_timestamp(x) as date_trunc('millisecond', case
    when typeof(x) = 'VARCHAR' and not regexp_full_match(x::VARCHAR, '{_TIMESTAMP_TEXT}')
    then ('INVALID_CAST_ARGUMENT: Value cannot be cast to timestamp: ' || x::VARCHAR)::TIMESTAMP else x::TIMESTAMP end);
create macro a_timestamptz(x) as case
    when typeof(x) = 'VARCHAR' then (case
        when regexp_full_match(x::VARCHAR, '{_ZONED_TEXT}')
            then regexp_replace(replace(x::VARCHAR, ' UTC', 'Z'), ' ([+-])', '\1')
        else 'INVALID_CAST_ARGUMENT: Value cannot be cast to timestamp with time zone: ' || x::VARCHAR end)::TIMESTAMPTZ
    else x::TIMESTAMPTZ end;
create macro a_date(x) as case
    when typeof(x) = 'VARCHAR' and not regexp_full_match(trim(x::VARCHAR), '[+-]?\d{{4,}}-\d{{1,2}}-\d{{1,2}}')
    then ('INVALID_CAST_ARGUMENT: Value cannot be cast to date: ' || x::VARCHAR)::DATE else x::DATE end;

create macro a_div(x, y) as case
    when {_DECIMAL} and not {_EITHER_FLOATING}
        then 'NOT_SUPPORTED: division of decimals is not supported by the local engine; cast to double'::TINYINT
    when y = 0 and x is not null and not {_EITHER_FLOATING} then 'DIVISION_BY_ZERO: Division by zero'::TINYINT
    when y = 0 and {_EITHER_FLOATING} and x > 0 then 'inf' when y = 0 and {_EITHER_FLOATING} and x < 0 then '-inf'
    when y = 0 and {_EITHER_FLOATING} and x = 0 then 'nan'
    else x // y end;
create macro a_mod(x, y) as case
    when y = 0 and x is not null and not {_EITHER_FLOATING} then 'DIVISION_BY_ZERO: Division by zero'::TINYINT
    else x % y end;

create macro a_local(x) as x::TIMESTAMP;
create macro a_instant(x) as x::TIMESTAMPTZ;
create macro a_now() as make_timestamptz(epoch_ms(now()) * 1000);

create macro a_iso(x) as make_timestamptz(epoch_us((case
    when x[11] = 'T' or length(x) = 10 then x
    else 'INVALID_FUNCTION_ARGUMENT: Invalid format: "' || x || '"' end)::TIMESTAMPTZ) // 1000 * 1000);
create macro a_iso_utc(x) as a_iso(case
    when x is null or x[-1] = 'Z' or not regexp_matches(x, 'T.*[+-]\d\d(:?\d\d)?$')
        or regexp_matches(x, '[+-]00(:?00)?$') then x
    else 'NOT_SUPPORTED: {_OWN_ZONE}' end);
create macro a_iso_date(x) as (case when regexp_full_match(x, '\d{{4}}-\d\d-\d\d') then x
    else 'INVALID_FUNCTION_ARGUMENT: Invalid format: "' || x || '"' end)::DATE;
create macro a_to_iso8601(x) as case
    when typeof(x) = 'DATE' then x::VARCHAR
    when typeof(x) = 'TIMESTAMP WITH TIME ZONE' then strftime(x::TIMESTAMP, '%Y-%m-%dT%H:%M:%S.%gZ')
    else strftime(x::TIMESTAMP, '%Y-%m-%dT%H:%M:%S.%g') end;
create macro a_to_unixtime(x) as epoch_us(x::TIMESTAMP) / 1e6;
create macro a_from_unixtime(x) as make_timestamptz(round(x::DOUBLE * 1000)::BIGINT * 1000);

create macro a_unit(x) as case
    when lower(x) in ('millisecond', 'second', 'minute', 'hour', 'day', 'week', 'month', 'quarter', 'year')
    then lower(x)
    else error('INVALID_FUNCTION_ARGUMENT: ''' || x || ''' is not a valid TIMESTAMP field') end;
create macro a_trunc
    (unit, x DATE) as date_trunc(unit, x)::DATE,
    (unit, x TIMESTAMP) as date_trunc(unit, x),
    (unit, x TIMESTAMPTZ) as make_timestamptz(epoch_us(date_trunc(unit, make_timestamp(epoch_us(x)))));
create macro a_add
    (i, x DATE) as (x + i)::DATE,
    (i, x TIMESTAMP) as x + i,
    (i, x TIMESTAMPTZ) as make_timestamptz(epoch_us(make_timestamp(epoch_us(x)) + i));
create macro a_plus
    (x DATE, y) as (x + y)::DATE, (x TIMESTAMP, y) as x + y,
    (x TIMESTAMPTZ, y) as make_timestamptz(epoch_us(make_timestamp(epoch_us(x)) + y));
create macro a_minus
    (x DATE, y) as (x - y)::DATE, (x TIMESTAMP, y) as x - y,
    (x TIMESTAMPTZ, y) as make_timestamptz(epoch_us(make_timestamp(epoch_us(x)) - y));

create macro a_sub(x, y) as case when typeof(x) in ({_DATES}) then [x - y][
    'NOT_SUPPORTED: the difference of dates or times is not supported by the local engine; use date_diff'::TINYINT]
    else x - y end;
create macro a_sum(x, y) as case when typeof(x) in ({_DATES}) or typeof(y) in ({_DATES})
    then [x + y]['TYPE_MISMATCH: Cannot apply operator: a date or time + anything but an interval'::TINYINT]
    else x + y end;
create macro a_averaged(x) as case when typeof(x) like 'DECIMAL%'
    then [x]['NOT_SUPPORTED: avg of decimals is not supported by the local engine; cast to double'::TINYINT]
    else x end;
create macro a_round(x, places) as case when typeof(x) like 'DECIMAL%'
    then [round(x, places)]['NOT_SUPPORTED: round of a decimal to places is not supported by the local engine'::TINYINT]
    else round(x, places) end;
create macro a_timed(x) as case when typeof(x) = 'DATE'
    then [x]['INVALID_FUNCTION_ARGUMENT: Cannot add hour, minutes or seconds to a date'::TINYINT] else x end;

create macro a_element(x, i) as x[case when typeof(x) like '%]' and try_cast(i as BIGINT) = 0
    then [i]['INVALID_FUNCTION_ARGUMENT: SQL array indices start at 1'::TINYINT] else i end];
create macro a_item(x, i) as case
    when i = 0 then 'INVALID_FUNCTION_ARGUMENT: SQL array indices start at 1'::BIGINT
    when i < 0 then ('INVALID_FUNCTION_ARGUMENT: Array subscript is negative: ' || i)::BIGINT
    when i > len(x) then ('INVALID_FUNCTION_ARGUMENT: Array subscript must be less than or equal to array length: '
        || i || ' > ' || len(x))::BIGINT
    else i end;
create macro a_key(x, k) as case when x is null or list_contains(map_keys(x), k) then k
    else (('INVALID_FUNCTION_ARGUMENT: Key not present in map: ' || k)::TINYINT)::VARCHAR end;
create macro a_split_part(x, mark, i) as
    case when i < 1 then 'INVALID_FUNCTION_ARGUMENT: Index must be greater than zero'::TINYINT::VARCHAR
        when i > len(string_split(x, mark)) then null else split_part(x, mark, i) end;
create macro a_regexp_extract(x, pattern, i) as
    case when regexp_matches(x, pattern) then regexp_extract(x, pattern, i) end;
create macro a_contains(x, item) as
    case when list_contains(x, item) then true when item is null or list_count(x) < len(x) then null else false end;
create macro a_array_distinct(x) as list_filter(x, lambda item, i: list_position(x, item) = i);
create macro a_any_match(x, judged) as case when x is null then null when list_contains(judged, true) then true
    when list_count(judged) < len(judged) then null else false end;
create macro a_all_match(x, judged) as case when x is null then null when list_contains(judged, false) then false
    when list_count(judged) < len(judged) then null else true end;
create macro a_json_extract(x, path) as case when json_valid(x::VARCHAR) then json_extract(x, path) end;
create macro a_json_scalar(x, path) as
    case when not json_valid(x::VARCHAR) or json_type(x, path) in ('OBJECT', 'ARRAY', 'NULL') then null
    else json_extract_string(x, path) end;
"""

SCRIPT = _SCRIPT + "".join(_integer_cast(name, kind) for name, kind in _INTEGERS.items())
