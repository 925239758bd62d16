"""Functions of arrays, maps, dates and times ("Array functions and operators", "Map functions", "Date and time")."""

_COLLECTIONS = r"""
cardinality(array(T)) bigint = cast(len(_0) as BIGINT)
cardinality(map(K, V)) bigint = cast(cardinality(_0) as BIGINT)
contains(array(T), T) boolean = a_contains(_0, _1)
element_at(array(T), bigint) T = a_element(_0, _1)
element_at(map(K, V), K) V = (_0)[_1]
array_distinct(array(T)) array(T) = a_array_distinct(_0)
array_union(array(T), array(T)) array(T) = a_array_distinct(list_concat_strict(_0, _1))
array_intersect(array(T), array(T)) array(T) = a_array_intersect(_0, _1)
array_except(array(T), array(T)) array(T) = a_array_except(_0, _1)
arrays_overlap(array(T), array(T)) boolean = a_arrays_overlap(_0, _1)
array_join(array(T), varchar) varchar = @array_join
array_join(array(T), varchar, varchar) varchar = @array_join
array_max(array(T)) T = @array_max
array_min(array(T)) T = @array_min
array_position(array(T), T) bigint = cast(a_array_position(_0, _1) as BIGINT)
array_position(array(T), T, integer) bigint = cast(a_nth_position(_0, _1, _2) as BIGINT)
array_remove(array(T), T) array(T) = a_array_remove(_0, _1)
array_sort(array(T)) array(T) = list_sort(_0, 'ASC', 'NULLS LAST')
array_sort(array(T), function(T, T, integer)) array(T) = @array_sort
array_first(array(T)) T = (_0)[1]
array_last(array(T)) T = (_0)[len(_0)]
trim_array(array(T), bigint) array(T) = a_trim_array(_0, _1)
flatten(array(array(T))) array(T) = flatten(list_filter(_0, lambda part: part is not null))
filter(array(T), function(T, boolean)) array(T) = list_filter(_0, _1)
transform(array(T), function(T, U)) array(U) = list_transform(_0, _1)
reduce(array(T), S, function(S, T, S), function(S, R)) R = @reduce
any_match(array(T), function(T, boolean)) boolean = a_any_match(_0, list_transform(_0, _1))
all_match(array(T), function(T, boolean)) boolean = a_all_match(_0, list_transform(_0, _1))
none_match(array(T), function(T, boolean)) boolean = not a_any_match(_0, list_transform(_0, _1))
sequence(bigint, bigint) array(bigint) = a_sequence(_0, _1, case when _0 > _1 then -1 else 1 end)
sequence(bigint, bigint, bigint) array(bigint) = a_sequence(_0, _1, _2)
sequence(date, date) array(date) = a_sequence_days(_0, _1, case when _0 > _1 then -1 else 1 end)
sequence(date, date, interval day to second) array(date) = a_sequence_days(_0, _1, a_whole_days(_2))
sequence(date, date, interval year to month) array(date) = a_sequence_dates(_0, _1, _2)
sequence(timestamp, timestamp, interval day to second) array(timestamp) = @sequence_times
sequence(timestamp, timestamp, interval year to month) array(timestamp) = @sequence_months
slice(array(T), bigint, bigint) array(T) = a_slice(_0, _1, _2)
zip_with(array(T), array(U), function(T, U, R)) array(R) = @zip_with
shuffle(array(T)) array(T) = @shuffle
zip(array(A), array(B)) array(row(A, B)) = @zip
zip(array(A), array(B), array(C)) array(row(A, B, C)) = @zip
zip(array(A), array(B), array(C), array(E)) array(row(A, B, C, E)) = @zip
repeat(T, integer) array(T) = a_repeat(_0, _1)
combinations(array(T), integer) array(array(T)) = @combinations
ngrams(array(T), integer) array(array(T)) = a_ngrams(_0, _1)
map() map(unknown, unknown) = map([]::INTEGER[], []::INTEGER[])
map(array(K), array(V)) map(K, V) = a_map(_0, _1)
map_keys(map(K, V)) array(K) = map_keys(_0)
map_values(map(K, V)) array(V) = map_values(_0)
map_entries(map(K, V)) array(row(K, V)) = @map_entries
map_from_entries(array(row(K, V))) map(K, V) = @map_from_entries
multimap_from_entries(array(row(K, V))) map(K, array(V)) = @multimap_from_entries
map_concat(map(K, V), map(K, V)...) map(K, V) = @map_concat
map_zip_with(map(K, V), map(K, U), function(K, V, U, R)) map(K, R) = @map_zip_with
map_filter(map(K, V), function(K, V, boolean)) map(K, V) = @map_filter
transform_values(map(K, V), function(K, V, R)) map(K, R) = @transform_values
transform_keys(map(K, V), function(K, V, R)) map(R, V) = @transform_keys
greatest(T, T...) =0 = @greatest
least(T, T...) =0 = @least
"""

_TIMES = r"""
now() timestamp with time zone = a_now()
current_timestamp() timestamp with time zone = a_now()
localtimestamp() timestamp = a_now()
localtime() time = cast(a_now() as TIME)
current_date() date = cast(a_now() as DATE)
current_timezone() varchar = 'UTC'
date(varchar) date = a_date(_0)
date(timestamp) date = cast(_0 as DATE)
date(timestamp with time zone) date = @date_of_instant
last_day_of_month(date) date = last_day(_0)
last_day_of_month(timestamp) date = last_day(_0)
last_day_of_month(timestamp with time zone) date = @last_day_of_instant
date_trunc(varchar, D) =1 = @date_trunc
date_trunc(varchar, time) =1 = @date_trunc
date_add(varchar, bigint, D) =2 = @date_add
date_add(varchar, bigint, time) =2 = @date_add
date_diff(varchar, time, time) bigint = @date_diff
date_diff(varchar, date, date) bigint = @date_diff
date_diff(varchar, timestamp, timestamp) bigint = @date_diff
date_diff(varchar, timestamp with time zone, timestamp with time zone) bigint = @date_diff
date_format(timestamp, varchar) varchar = @date_format
date_format(timestamp with time zone, varchar) varchar = @date_format
format_datetime(timestamp, varchar) varchar = @format_datetime
format_datetime(timestamp with time zone, varchar) varchar = @format_datetime
date_parse(varchar, varchar) timestamp = @date_parse
parse_datetime(varchar, varchar) timestamp with time zone = @parse_datetime
from_iso8601_timestamp(varchar) timestamp with time zone = @from_iso8601_timestamp
from_iso8601_date(varchar) date = @from_iso8601_date
to_iso8601(date) varchar = cast(_0 as VARCHAR)
to_iso8601(timestamp) varchar = @to_iso8601
to_iso8601(timestamp with time zone) varchar = @to_iso8601
from_unixtime(double) timestamp with time zone = @from_unixtime
from_unixtime(double, varchar) timestamp with time zone = @from_unixtime
from_unixtime(double, bigint, bigint) timestamp with time zone = @from_unixtime
to_unixtime(timestamp) double = epoch_us(_0) / 1e6
to_unixtime(timestamp with time zone) double = @to_unixtime
at_timezone(timestamp with time zone, varchar) timestamp with time zone = @at_timezone
with_timezone(timestamp, varchar) timestamp with time zone = @with_timezone
timezone_hour(timestamp with time zone) bigint = @timezone_hour
timezone_minute(timestamp with time zone) bigint = @timezone_minute
parse_duration(varchar) interval day to second = py_parse_duration(_0)
to_milliseconds(interval day to second) bigint = _0
"""

FIELDS = (
    "year", "month", "day", "day_of_month", "hour", "minute", "second", "millisecond", "quarter", "week",
    "week_of_year", "day_of_week", "dow", "day_of_year", "doy", "year_of_week", "yow",
)  # fmt: skip
_OF_TIME = ("hour", "minute", "second", "millisecond")


def _fields() -> str:
    kinds = ("date", "timestamp", "timestamp with time zone")
    lines = [
        f"{name}({kind}) bigint = @field_{name}"
        for name in FIELDS
        for kind in kinds
        if kind != "date" or name not in _OF_TIME
    ]
    lines += [f"{name}(time) bigint = @field_{name}" for name in _OF_TIME]
    lines += [
        f"{name}(interval day to second) bigint = @interval_{name}" for name in ("day", "hour", "minute", "second")
    ]
    return "\n".join(lines)


TABLE = _COLLECTIONS.strip() + "\n" + _TIMES.strip() + "\n" + _fields()
