"""SQL macros that give DuckDB the meaning that Athena's engine (Trino) has for casts, division, dates and times.

Types are settled before (see `lowering`). What Trino refuses at run time is made to fail as a cast that cannot succeed:
such a failure, unlike error(), TRY can catch.
"""

_INTEGERS = {"bigint": "BIGINT", "integer": "INTEGER", "smallint": "SMALLINT", "tinyint": "TINYINT"}


def _integer_cast(name: str, kind: str) -> str:
    # Trino takes digits only from text.
    return f"""create macro a_{name}(x) as (case when regexp_full_match(x, '[+-]?[0-9]+') then x
        when x is not null then 'INVALID_CAST_ARGUMENT: Cannot cast ''' || x || ''' to {kind}' end)::{kind};"""


_TIME_TEXT = r"[+-]?\d{4,}-\d{1,2}-\d{1,2}( \d{1,2}:\d{1,2}(:\d{1,2}(\.\d{1,12})?)?)?"
_NUMBER_TEXT = r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?"
ZONE_TEXT = r"(?:[A-Za-z][A-Za-z_/]*(?:[+-]?\d+)?|[+-]\d\d(?::?\d\d)?)"
_BLANKS = (
    "' "
    + "".join(
        map(
            chr,
            (
                9,
                10,
                11,
                12,
                13,
                28,
                29,
                30,
                31,
                0x1680,
                *range(0x2000, 0x2007),
                *range(0x2008, 0x200B),
                0x2028,
                0x2029,
                0x205F,
                0x3000,
            ),
        )
    )
    + "'"
)


def _failure(name: str, message: str, kind: str = "BIGINT") -> str:
    """An expression that fails with the message (an SQL expression of text, or a text in quotes)."""
    return f"('{name}: ' || {message})::{kind}"


_ARGUMENT = "INVALID_FUNCTION_ARGUMENT"
_CAST = "INVALID_CAST_ARGUMENT"
_ZERO = _failure("DIVISION_BY_ZERO", "'Division by zero'", "TINYINT")
_NUMBERS = rf"""
create macro a_floating(x, kind) as case
    when x is null then null
    when trim(x) in ('NaN', 'Infinity', '-Infinity', '+Infinity') then trim(x)
    when regexp_full_match(trim(x), '{_NUMBER_TEXT}[dDfF]?') then rtrim(trim(x), 'dDfF')
    else '{_CAST}: Cannot cast ''' || x || ''' to ' || kind end;
create macro a_number_text(x, kind) as case when regexp_full_match(x, '{_NUMBER_TEXT}') then x
    when x is not null then '{_CAST}: Cannot cast VARCHAR ''' || x || ''' to ' || kind end;
create macro a_boolean(x) as (case when lower(x) in ('t', 'true', '1') then 'true'
    when lower(x) in ('f', 'false', '0') then 'false'
    when x is not null then ('{_CAST}: Cannot cast ''' || x || ''' to BOOLEAN')::TINYINT::VARCHAR end)::BOOLEAN;
create macro a_uuid(x) as case
    when regexp_full_match(x, '[0-9a-fA-F]{{8}}(-[0-9a-fA-F]{{4}}){{3}}-[0-9a-fA-F]{{12}}') then lower(x)
    when x is not null then ('{_CAST}: Cannot cast value to UUID: ' || x)::TINYINT::VARCHAR end;
create macro a_fitting(x, size) as case when length(x) > size
    then ('{_CAST}: Value ' || x || ' cannot be represented as varchar(' || size || ')')::TINYINT::VARCHAR else x end;
create macro a_div_integer(x, y) as case when y = 0 and x is not null then {_ZERO} when y = -1 then -x else x // y end;
create macro a_div_double(x, y) as case
    when y <> 0 then x / y when x > 0 then 'inf'::DOUBLE when x < 0 then '-inf'::DOUBLE
    when x is not null and y is not null then 'nan'::DOUBLE end;
create macro a_mod_exact(x, y) as case when y = 0 and x is not null then {_ZERO} else x % y end;
create macro a_mod_double(x, y) as case when y = 0 and x is not null then 'nan'::DOUBLE else x % y end;
create macro a_divided(x, y) as case
    when y = 0 and x is not null then {_ZERO}::HUGEINT
    else x // y + case when abs(x % y) * 2 >= abs(y) then sign(x) * sign(y) else 0 end end;
create macro a_truncated(x, y) as x // y;
create macro a_floored(x, y) as x // y - case when x % y < 0 then 1 else 0 end;
create macro a_ceiled(x, y) as x // y + case when x % y > 0 then 1 else 0 end;
create macro a_bigint_sum(x) as case when x > 9223372036854775807 or x < -9223372036854775808
    then {_failure("NUMERIC_VALUE_OUT_OF_RANGE", "'bigint addition overflow: ' || x")} else x::BIGINT end;
create macro a_round_double(x, places) as
    case when isinf(x) or isnan(x) then x when x = 0 then 0 else round(x, cast(places as INTEGER)) end;
create macro a_round_integer(x, places) as case when places >= 0 then x
    else a_divided(x::HUGEINT, (10 ** (-places))::HUGEINT) * (10 ** (-places))::HUGEINT end;
create macro a_number(x) as case when isnan(x) then null else x end;
create macro a_finite(x) as case
    when isfinite(x) or x is null then x else {_failure(_ARGUMENT, "'value must be finite'", "DOUBLE")} end;
create macro a_offset(x, least_offset) as case when x < least_offset
    then {_failure(_ARGUMENT, "'Offset must be at least ' || least_offset")} else x end;
create macro a_share(x) as case when x < 0 or x > 1
    then {_failure(_ARGUMENT, "'Percentile must be between 0 and 1'", "DOUBLE")} else least(x + 1e-12, 1) end;
create macro a_order(x) as case when x in (-1, 0, 1) then x
    else {_failure(_ARGUMENT, "'Lambda comparator must return either -1, 0, or 1'", "INTEGER")} end;
create macro a_positive_bound(x) as case when x <= 0
    then {_failure(_ARGUMENT, "'bound must be positive'")} else x end;
create macro a_start_below(x, stop) as case when x >= stop
    then {_failure(_ARGUMENT, "'start value must be less than stop value'")} else x end;
create macro a_ln(x) as case when x = 0 then '-inf'::DOUBLE when x < 0 then 'nan'::DOUBLE else ln(x) end;
"""
_TEXTS = rf"""
create macro a_blanks() as {_BLANKS};
create macro a_upper(x) as replace(replace(upper(replace(replace(x, 'ß', '{chr(0xE000)}'), 'ŉ', '{chr(0xE001)}')),
    '{chr(0xE000)}', 'ß'), '{chr(0xE001)}', 'ŉ');
create macro a_codepoint(x) as case
    when x = '' then {_failure(_ARGUMENT, "'Input string must be a single character string'", "INTEGER")}
    else unicode(x)::INTEGER end;
create macro a_is_basic(x) as not regexp_matches(x, '[^\x{{0}}-\x{{FFFF}}]');
create macro a_substr(x, start) as case
    when start = 0 or abs(start) > length(x) then (case when x is not null then '' end) else substr(x, start) end;
create macro a_substr_to(x, start, size) as case
    when start = 0 or abs(start) > length(x) or size <= 0 then (case when x is not null then '' end)
    else substr(x, start, size) end;
create macro a_padding(size, pad) as case
    when pad = '' then {_failure(_ARGUMENT, "'Padding string must not be empty'", "INTEGER")}
    when size < 0 then {_failure(_ARGUMENT, "'Target length must be in the range [0..2147483647]'", "INTEGER")}
    else size::INTEGER end;
create macro a_lpad(x, size, pad) as lpad(x, a_padding(size, pad), pad);
create macro a_rpad(x, size, pad) as rpad(x, a_padding(size, pad), pad);
create macro a_split(x, mark) as string_split(x, case when mark = '' and x is not null
    then {_failure(_ARGUMENT, "'The delimiter may not be the empty string'")}::VARCHAR else mark end);
create macro a_split_part(x, mark, i) as case
    when i < 1 then {_failure(_ARGUMENT, "'Index must be greater than zero'", "TINYINT")}::VARCHAR
    when i > len(string_split(x, mark)) then null else split_part(x, mark, i) end;
create macro a_regexp_extract(x, pattern, i) as
    case when regexp_matches(x, pattern) then regexp_extract(x, pattern, i) end;
create macro a_joined(x, mark) as
    case when x is null or mark is null then null else coalesce(array_to_string(x, mark), '') end;
"""
_TIMES = rf"""
create macro a_timestamp(x) as case when regexp_full_match(trim(x), '{_TIME_TEXT}') then trim(x)::TIMESTAMP
    when x is not null then {_failure(_CAST, "'Value cannot be cast to timestamp: ' || x", "TIMESTAMP")} end;
create macro a_zoned_time(x) as a_timestamp(regexp_replace(trim(x), '(\d) ?{ZONE_TEXT}$', '\1')
    );
create macro a_has_no_zone(x) as regexp_full_match(trim(x), '{_TIME_TEXT}');
create macro a_local_timestamp(x, zone) as case
    when a_has_no_zone(x) or zone is null then a_timestamp(x) else a_zoned_time(x) end;
create macro a_date(x) as case
    when regexp_full_match(trim(x), '[+-]?\d{{4,}}-\d{{1,2}}-\d{{1,2}}') then trim(x)::DATE
    when x is not null then {_failure(_CAST, "'Value cannot be cast to date: ' || x", "DATE")} end;
create macro a_time(x) as case when regexp_full_match(x, '\d{{1,2}}:\d{{1,2}}(:\d{{1,2}}(\.\d{{1,12}})?)?')
    then (case when regexp_full_match(x, '\d{{1,2}}:\d{{1,2}}') then x || ':00' else x end)::TIME
    when x is not null then {_failure(_CAST, "'Value cannot be cast to time: ' || x", "TIME")} end;
create macro a_now() as make_timestamp(epoch_ms(now()) * 1000);
create macro a_zone_minutes(zone) as (case when left(zone, 1) = '-' then -1 else 1 end)
    * (cast(substr(zone, 2, 2) as INTEGER) * 60 + cast(substr(zone, 5, 2) as INTEGER));
create macro a_in_zone(instant, zone) as case when zone = 'UTC' then instant
    when left(zone, 1) in ('+', '-') then instant + to_minutes(a_zone_minutes(zone))
    else timezone(zone, cast(instant as TIMESTAMPTZ)) end;
create macro a_before(local, zone, instant) as
    local - (a_in_zone(instant - interval 1 day, zone) - (instant - interval 1 day));
create macro a_earlier(local, zone, instant) as case
    when a_before(local, zone, instant) < instant and a_in_zone(a_before(local, zone, instant), zone) = local
    then a_before(local, zone, instant) else instant end;
create macro a_from_local(local, zone) as case when zone = 'UTC' then local
    when left(zone, 1) in ('+', '-') then local - to_minutes(a_zone_minutes(zone))
    else a_earlier(local, zone, cast(timezone(zone, local) as TIMESTAMP)) end;
create macro a_offset_minutes(instant, zone) as (epoch_us(a_in_zone(instant, zone)) - epoch_us(instant)) // 60000000;
create macro a_offset_name(minutes) as case when minutes = 0 then 'UTC' else
    (case when minutes < 0 then '-' else '+' end) || lpad((abs(minutes) // 60)::VARCHAR, 2, '0') || ':'
    || lpad((abs(minutes) % 60)::VARCHAR, 2, '0') end;
create macro a_zone_suffix(instant, zone) as case when zone = 'UTC' or a_offset_minutes(instant, zone) = 0 then 'Z'
    else a_offset_name(a_offset_minutes(instant, zone)) end;
create macro a_unit_of(places) as (10 ** (6 - places))::BIGINT;
create macro a_floored_time(x, places) as make_timestamp(
    epoch_us(x) - (epoch_us(x) % a_unit_of(places) + a_unit_of(places)) % a_unit_of(places));
create macro a_rounded_time(x, places) as case when places >= 6 then x
    else a_floored_time(x + to_microseconds(a_unit_of(places) // 2), places) end;
create macro a_rounded_clock(x, places) as case when places >= 6 then x
    else time '00:00:00' + to_microseconds((epoch_us(x) + a_unit_of(places) // 2) // a_unit_of(places)
        * a_unit_of(places) % 86400000000) end;
create macro a_time_text(x, places) as strftime(x, '%Y-%m-%d %H:%M:%S') ||
    case when places > 0 then '.' || left(strftime(x, '%f'), places) else '' end;
create macro a_clock_text(x, places) as
    left(strftime(date '2000-01-01' + x, '%H:%M:%S.%f'), case when places > 0 then 9 + places else 8 end);
create macro a_is_plain_iso(x) as
    regexp_full_match(x, '\d{{4}}-\d\d-\d\d(T\d\d:\d\d:\d\d(\.\d{{1,9}})?(Z|[+-]\d\d(:?\d\d)?)?)?');
create macro a_iso(x) as make_timestamp(epoch_us(x::TIMESTAMPTZ) // 1000 * 1000);
create macro a_iso_zone(x) as case
    when x is null or x[-1] = 'Z' or not regexp_matches(x, 'T.*[+-]\d\d(:?\d\d)?$')
        or regexp_matches(x, '[+-]00(:?00)?$') then (case when x is not null then 'UTC' end)
    else regexp_replace(regexp_extract(x, '[+-]\d\d(:?\d\d)?$') || '00', '^([+-]\d\d):?(\d\d).*$', '\1:\2') end;
create macro a_from_unixtime(x) as make_timestamp(
    case when isnan(x) then 0 else round(x * 1000)::BIGINT end * 1000);
create macro a_date_diff(unit, x, y) as date_sub(unit, x, y);
create macro a_unit(x) as case
    when lower(x) in ('millisecond', 'second', 'minute', 'hour', 'day', 'week', 'month', 'quarter', 'year')
    then lower(x)
    else error('{_ARGUMENT}: ''' || x || ''' is not a valid TIMESTAMP field') end;
create macro a_whole_days(x) as case when x % 86400000 = 0 then x // 86400000
    else {_failure(_ARGUMENT, "'Cannot add hour, minutes or seconds to a date'")} end;
"""
_ARRAYS = rf"""
create macro a_element(x, i) as
    x[case when i = 0 then {_failure(_ARGUMENT, "'SQL array indices start at 1'")} else i end];
create macro a_item(x, i) as case
    when i = 0 then {_failure(_ARGUMENT, "'SQL array indices start at 1'")}
    when i < 0 then {_failure(_ARGUMENT, "'Array subscript is negative: ' || i")}
    when i > len(x) then {
    _failure(_ARGUMENT, "'Array subscript must be less than or equal to array length: ' || i || ' > ' || len(x)")
}
    else i end;
create macro a_key(x, k, shown) as [k][case when x is null or k is null or list_contains(map_keys(x), k) then 1
    else {_failure(_ARGUMENT, "'Key not present in map: ' || shown")} end];
create macro a_contains(x, item) as
    case when x is null then null when list_contains(x, item) then true
    when item is null or list_count(x) < len(x) then null else false end;
create macro a_array_position(x, item) as
    coalesce(list_position(x, item), case when x is null or item is null then null else 0 end);
create macro a_nth_position(x, item, n) as case when x is null or item is null then null else coalesce(
    list_filter(range(1, len(x) + 1), lambda place: x[place] = item)[n], 0) end;
create macro a_array_distinct(x) as list_filter(x, lambda item, i: list_position(x, item) = i);
create macro a_in_array(x, item) as list_contains(x, item) or (item is null and list_count(x) < len(x));
create macro a_array_intersect(x, y) as
    case when y is null then null else a_array_distinct(list_filter(x, lambda item: a_in_array(y, item))) end;
create macro a_array_except(x, y) as case when y is null then null
    else a_array_distinct(list_filter(x, lambda item: not coalesce(a_in_array(y, item), false))) end;
create macro a_arrays_overlap(x, y) as case when x is null or y is null then null
    when len(list_filter(x, lambda item: item is not null and list_contains(y, item))) > 0 then true
    when len(x) = 0 or len(y) = 0 then false
    when list_count(x) < len(x) or list_count(y) < len(y) then null else false end;
create macro a_array_remove(x, item) as
    case when item is null then null else list_filter(x, lambda part: part <> item or part is null) end;
create macro a_arrays_equal(x, y, judged) as case
    when x is null or y is null then null when len(x) <> len(y) then false
    when list_contains(judged, false) then false when list_count(judged) < len(judged) then null else true end;
create macro a_maps_equal(x, y, keys, judged) as case
    when x is null or y is null then null when not keys or list_contains(judged, false) then false
    when list_count(judged) < len(judged) then null else true end;
create macro list_concat_strict(x, y) as case when x is null or y is null then null else list_concat(x, y) end;
create macro a_slice_start(x, start, size) as case
    when size < 0 then {_failure(_ARGUMENT, "'length must be greater than or equal to 0'")}
    when start = 0 then {_failure(_ARGUMENT, "'SQL array indices start at 1'")}
    when start < 0 then len(x) + start + 1 else start end;
create macro a_slice(x, start, size) as case
    when a_slice_start(x, start, size) < 1 or size = 0 then list_slice(x, 1, 0)
    else list_slice(x, a_slice_start(x, start, size), a_slice_start(x, start, size) + size - 1) end;
create macro a_trim_array(x, n) as list_slice(x, 1, case when n < 0 or n > len(x)
    then {_failure(_ARGUMENT, "'size must not exceed array cardinality'")} else len(x) - n end);
create macro a_sequence_stop(x, y, step) as case
    when step = 0 then {_failure(_ARGUMENT, "'step must not be zero'")}
    when (step > 0 and y < x) or (step < 0 and y > x) then {
    _failure(
        _ARGUMENT,
        "'sequence stop value should be greater than or equal to start value if step is greater than zero otherwise"
        " stop should be less than or equal to start'",
    )
}
    when abs(y - x) // abs(step) >= 10000 then {
    _failure(_ARGUMENT, "'result of sequence function must not have more than 10000 entries'")
}
    else y end;
create macro a_sequence(x, y, step) as generate_series(x, a_sequence_stop(x, y, step), step);
create macro a_sequence_days(x, y, step) as list_transform(
    a_sequence(0::BIGINT, (y - x)::BIGINT, step::BIGINT), lambda days: cast(x + to_days(days::INTEGER) as DATE));
create macro a_month_steps(x, y, months) as
    a_sequence(0::BIGINT, date_sub('month', x::TIMESTAMP, y::TIMESTAMP), months::BIGINT);
create macro a_sequence_dates(x, y, months) as
    list_transform(a_month_steps(x, y, months), lambda step: cast(x + to_months(step::INTEGER) as DATE));
create macro a_sequence_months(x, y, months) as
    list_transform(a_month_steps(x, y, months), lambda step: x + to_months(step::INTEGER));
create macro a_sequence_times(x, y, step) as list_transform(
    a_sequence(epoch_us(x), epoch_us(y), step * 1000), lambda moment: make_timestamp(moment));
create macro a_sortable(x) as x[:case when list_count(x) < len(x)
    then {_failure("NOT_SUPPORTED", "'ARRAY comparison not supported for arrays with null elements'")}
    else len(x) end];
create macro a_repeat(x, n) as list_resize([x][:0], case when n < 0
    then {_failure(_ARGUMENT, "'count argument of repeat function must be greater than or equal to 0'")}
    else n end, x);
create macro a_ngrams(x, n) as case when n >= len(x) then [x]
    else list_transform(range(1, len(x) - n + 2), lambda start: list_slice(x, start, start + n - 1)) end;
"""
_MAPS = rf"""
create macro a_map(keys, items) as map(case when len(keys) <> len(items)
    then keys[:{_failure(_ARGUMENT, "'Key and value arrays must be the same length'")}] else keys end, items);
create macro a_firsts(keys) as
    list_filter(range(1, len(keys) + 1), lambda place: list_position(keys, keys[place]) = place);
create macro a_map_of_lists(keys, items) as case when keys is null then null else map(
    list_transform(a_firsts(keys), lambda place: keys[place]),
    list_transform(a_firsts(keys), lambda place: items[place])) end;
create macro a_present(pairs) as list_filter(pairs, lambda pair: pair is not null);
create macro a_ordered_entries(counts, items) as list_sort(list_transform(map_entries(counts),
    lambda entry: struct_pack(
        at := list_position(items, entry."key"), "key" := entry."key", "value" := entry."value")));
create macro a_in_order(counts, items) as case when len(map_keys(counts)) > 200 then counts
    else map(list_transform(a_ordered_entries(counts, items), lambda entry: entry."key"),
        list_transform(a_ordered_entries(counts, items), lambda entry: entry."value")) end;
create macro a_filled(x) as case when len(map_keys(x)) > 0 then x end;
create macro a_map_of_pairs(pairs) as a_map_of_lists(
    list_transform(a_present(pairs), lambda pair: pair.k), list_transform(a_present(pairs), lambda pair: pair.v));
create macro a_map_of_entries(entries) as a_map_of_lists(
    list_transform(entries, lambda pair: pair."key"), list_transform(entries, lambda pair: pair."value"));
create macro a_multimap_of_pairs(pairs) as case when pairs is null then null else map(
    a_array_distinct(list_transform(a_present(pairs), lambda pair: pair.k)),
    list_transform(a_array_distinct(list_transform(a_present(pairs), lambda pair: pair.k)), lambda wanted:
        list_transform(list_filter(a_present(pairs), lambda pair: pair.k = wanted), lambda pair: pair.v))) end;
create macro a_any_match(x, judged) as case when x is null then null when list_contains(judged, true) then true
    when list_count(judged) < len(judged) then null else false end;
create macro a_all_match(x, judged) as case when x is null then null when list_contains(judged, false) then false
    when list_count(judged) < len(judged) then null else true end;
"""

SCRIPT = (
    "".join(_integer_cast(name, kind) for name, kind in _INTEGERS.items())
    + _NUMBERS
    + _TEXTS
    + _TIMES
    + _ARRAYS
    + _MAPS
)
