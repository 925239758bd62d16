"""Expressions by type: each line is a way to make a value, with holes for values of other types."""

from collections.abc import Mapping, Sequence

_SAME = (
    "case when {boolean} then {T} else {T} end",
    "case {small} when 1 then {T} when 2 then {T} end",
    "coalesce({T}, {T})",
    "nullif({T}, {T})",
    "if({boolean}, {T}, {T})",
    "if({boolean}, {T})",
    "try({T})",
    "(select {T})",
)
_ORDERED = ("greatest({T}, {T})", "least({T}, {T}, {T})")

_TEMPLATES = {
    "boolean": """
        {O} = {O}
        {O} <> {O}
        {O} < {O}
        {O} >= {O}
        {O} between {O} and {O}
        {O} in ({O}, {O})
        {O} not in ({O}, {O})
        {O} is distinct from {O}
        {O} is not distinct from {O}
        {any} is null
        {any} is not null
        not {boolean}
        {boolean} and {boolean}
        {boolean} or {boolean}
        {varchar} like {like}
        {varchar} not like {like}
        {varchar} like {like} escape '\\'
        starts_with({varchar}, {varchar})
        regexp_like({varchar}, {pattern})
        contains({integers}, {small})
        contains({texts}, {varchar})
        any_match({integers}, e -> e > {small})
        all_match({integers}, e -> e > {small})
        none_match({integers}, e -> e is null)
        arrays_overlap({integers}, {integers})
        is_nan({double})
        is_finite({double})
        cast({varchar} as boolean)
        try_cast({varchar} as boolean)
        cast({integer} as boolean)
        exists (select 1 where {boolean})
        {integer} in (select {small} union all select {integer})
        {integer} = any (select {small})
        {integer} >= all (select {small})
        {row} = {row}
        {integers} = {integers}
        {map} = {map}
        json_array_contains({document}, {small})
        is_json_scalar({document})
        {date} between {timestamp} and {timestamp}
        {timestamp} < {zoned}
        {char} = {varchar}
        {decimal} = {double}
        {integer} > {decimal}
        {char} like {like}
        """,
    "integer": """
        {integer} + {integer}
        {integer} - {integer}
        {integer} * {small}
        {integer} / {small}
        {integer} % {small}
        -{integer}
        cast({varchar} as integer)
        try_cast({varchar} as integer)
        try_cast({double} as integer)
        cast({decimal} as integer)
        cast({boolean} as integer)
        abs({integer})
        sign({integer})
        codepoint(cast({varchar} as varchar(1)))
        {integers}[{positive}]
        element_at({integers}, {small})
        {map}[{lambda_key}]
        element_at({map}, {lambda_key})
        {row}.x
        {row}[1]
        array_max({integers})
        array_min({integers})
        reduce({integers}, 0, (s, e) -> s + coalesce(e, 0), s -> s)
        cast(json_extract({document}, {path}) as integer)
        round({integer}, {small})
        mod({integer}, {small})
        regexp_position({varchar}, {pattern})
        bitwise_left_shift({integer}, {small})
        bitwise_right_shift({integer}, {small})
        """,
    "bigint": """
        {bigint} + {integer}
        {bigint} * {small}
        {bigint} / {integer}
        length({varchar})
        length({varbinary})
        strpos({varchar}, {varchar})
        strpos({varchar}, {varchar}, {small})
        position({varchar} in {varchar})
        cardinality({integers})
        cardinality({map})
        array_position({integers}, {small})
        levenshtein_distance({varchar}, {varchar})
        hamming_distance({varchar}, {varchar})
        date_diff({unit}, {timestamp}, {timestamp})
        date_diff({date_unit}, {date}, {date})
        date_diff({unit}, {zoned}, {zoned})
        year({date})
        month({timestamp})
        day({zoned})
        hour({timestamp})
        minute({zoned})
        second({timestamp})
        millisecond({timestamp})
        week({date})
        year_of_week({date})
        day_of_week({timestamp})
        day_of_year({date})
        quarter({timestamp})
        extract(year from {timestamp})
        extract(dow from {date})
        extract(hour from {time})
        hour({days})
        day({days})
        timezone_hour({zoned})
        bitwise_and({bigint}, {integer})
        bitwise_or({bigint}, {integer})
        bitwise_xor({bigint}, {integer})
        bitwise_not({bigint})
        bit_count({small}, 64)
        cast({varchar} as bigint)
        try_cast({double} as bigint)
        cast({real} as bigint)
        url_extract_port({url})
        json_array_length({document})
        json_size({document}, {path})
        from_base({varchar}, 16)
        width_bucket({double}, 0e0, 10e0, 4)
        crc32({varbinary})
        regexp_count({varchar}, {pattern})
        cast(json_extract_scalar({document}, {path}) as bigint)
        to_milliseconds({days})
        """,
    "real": """
        {real} + {real}
        {real} * {integer}
        {real} / {small}
        cast({varchar} as real)
        cast({double} as real)
        cast({decimal} as real)
        round({real}, {small})
        abs({real})
        """,
    "double": """
        {double} + {double}
        {double} * {integer}
        {double} / {double}
        {double} % {double}
        {double} - {decimal}
        {real} + {double}
        cast({varchar} as double)
        try_cast({varchar} as double)
        cast({decimal} as double)
        cast({real} as double)
        cast({bigint} as double)
        round({double})
        round({double}, {small})
        floor({double})
        ceil({double})
        truncate({double})
        abs({double})
        sqrt({double})
        power({double}, {small})
        ln({double})
        log10({double})
        sign({double})
        to_unixtime({timestamp})
        {doubles}[1]
        mod({double}, {double})
        cast(json_extract({document}, {path}) as double)
        """,
    "decimal": """
        {decimal} + {decimal}
        {decimal} - {decimal}
        {decimal} * {decimal}
        {decimal} / {decimal}
        {decimal} % {decimal}
        {integer} / {decimal}
        {decimal} / {integer}
        {decimal} * {integer}
        {decimal} + {bigint}
        -{decimal}
        abs({decimal})
        round({decimal})
        round({decimal}, {small})
        floor({decimal})
        ceil({decimal})
        truncate({decimal})
        sign({decimal})
        cast({double} as decimal(10,2))
        cast({varchar} as decimal(12,3))
        try_cast({varchar} as decimal(5,2))
        cast({decimal} as decimal(8,1))
        cast({integer} as decimal(20,4))
        mod({decimal}, {decimal})
        """,
    "varchar": """
        {varchar} || {varchar}
        concat({varchar}, {varchar}, {varchar})
        concat_ws('-', {varchar}, {varchar})
        substr({varchar}, {small})
        substr({varchar}, {small}, {small})
        substring({varchar} from {small} for {small})
        upper({varchar})
        lower({varchar})
        trim({varchar})
        ltrim({varchar})
        rtrim({varchar})
        trim(leading 'a' from {varchar})
        trim(both ' x' from {varchar})
        lpad({varchar}, {positive}, '*')
        rpad({varchar}, 6, 'xy')
        replace({varchar}, {varchar}, {varchar})
        replace({varchar}, 'a')
        reverse({varchar})
        translate({varchar}, 'abc', 'xy')
        split_part({varchar}, ',', {small})
        split({varchar}, ',')[1]
        regexp_extract({varchar}, {pattern})
        regexp_extract({varchar}, {pattern}, 1)
        regexp_replace({varchar}, {pattern})
        regexp_replace({varchar}, {pattern}, {replacement})
        regexp_replace({varchar}, '(\\w)(\\w*)', x -> upper(x[1]) || x[2])
        cast({integer} as varchar)
        cast({double} as varchar)
        cast({real} as varchar)
        cast({decimal} as varchar)
        cast({boolean} as varchar)
        cast({date} as varchar)
        cast({timestamp} as varchar)
        cast({zoned} as varchar)
        cast({time} as varchar)
        cast({days} as varchar)
        cast({months} as varchar)
        cast({varchar} as varchar(3))
        cast({char} as varchar)
        cast({json} as varchar)
        typeof({any})
        array_join({integers}, ',')
        array_join({texts}, '-', 'N')
        element_at({texts}, {small})
        {row}.y
        date_format({timestamp}, {mysql})
        date_format({zoned}, {mysql})
        date_format({date}, {mysql})
        format_datetime({timestamp}, {joda})
        format_datetime({zoned}, {joda})
        to_iso8601({date})
        to_iso8601({timestamp})
        to_iso8601({zoned})
        json_extract_scalar({document}, {path})
        json_extract_scalar({json}, {path})
        json_format({json})
        json_format(cast({any} as json))
        json_format(json_parse({document}))
        json_format(json_extract({document}, {path}))
        json_format(json_array_get({document}, {small}))
        url_extract_host({url})
        url_extract_path({url})
        url_extract_query({url})
        url_extract_protocol({url})
        url_extract_fragment({url})
        url_extract_parameter({url}, 'a')
        url_extract_parameter({url}, 'y')
        url_encode({varchar})
        url_decode({varchar})
        to_hex({varbinary})
        to_base64({varbinary})
        from_utf8({varbinary})
        to_hex(md5({varbinary}))
        to_base({integer}, 16)
        format({format_text}, {varchar})
        format({format_integer}, {integer})
        format({format_double}, {double})
        format({format_double}, {decimal})
        format('%s %s', {date}, {timestamp})
        chr({positive} + 64)
        normalize({varchar}, NFD)
        soundex({varchar})
        human_readable_seconds({double})
        format_number({double})
        format_number({integer})
        """,
    "char": """
        cast({varchar} as char(4))
        cast({integer} as char(6))
        upper({char})
        """,
    "varbinary": """
        to_utf8({varchar})
        from_base64('aGk=')
        {varbinary} || {varbinary}
        sha256({varbinary})
        cast({varchar} as varbinary)
        reverse({varbinary})
        xxhash64({varbinary})
        substr({varbinary}, {small}, {small})
        """,
    "date": """
        cast({varchar} as date)
        try_cast({varchar} as date)
        cast({timestamp} as date)
        cast({zoned} as date)
        date({timestamp})
        date_trunc({date_unit}, {date})
        date_add({date_unit}, {small}, {date})
        {date} + {months}
        {date} - {months}
        {date} + interval '1' day
        last_day_of_month({date})
        from_iso8601_date({moment_text})
        current_date - current_date + {date}
        """,
    "timestamp": """
        cast({varchar} as timestamp)
        try_cast({varchar} as timestamp)
        cast({date} as timestamp)
        cast({zoned} as timestamp)
        date_trunc({unit}, {timestamp})
        date_add({unit}, {small}, {timestamp})
        {timestamp} + {days}
        {timestamp} - {months}
        {date} + {days}
        date_parse('2024-03-05 6:07', '%Y-%m-%d %k:%i')
        date_parse({varchar}, '%Y-%m-%d')
        {zoned} at time zone 'UTC'
        """,
    "zoned": """
        cast({timestamp} as timestamp with time zone)
        cast({varchar} as timestamp with time zone)
        cast({date} as timestamp with time zone)
        {zoned} at time zone {zone}
        at_timezone({zoned}, {zone})
        with_timezone({timestamp}, {zone})
        date_trunc({unit}, {zoned})
        date_add({unit}, {small}, {zoned})
        {zoned} + {days}
        {zoned} + {months}
        from_unixtime({double})
        from_unixtime({integer})
        from_unixtime({integer}, {zone})
        from_iso8601_timestamp({moment_text})
        parse_datetime('2024-03-05 06:07', 'yyyy-MM-dd HH:mm')
        parse_datetime('05/Mar/2024:10:11:12 +0200', 'dd/MMM/yyyy:HH:mm:ss Z')
        """,
    "time": """
        cast({timestamp} as time)
        cast({varchar} as time)
        {time} + {days}
        date_add('minute', {small}, {time})
        date_trunc('hour', {time})
        """,
    "days": """
        {timestamp} - {timestamp}
        {date} - {date}
        {days} + {days}
        {days} * {small}
        {days} / {small}
        {zoned} - {zoned}
        -{days}
        parse_duration('1.5h')
        """,
    "months": """
        {months} + {months}
        {months} * {small}
        """,
    "json": """
        cast({any} as json)
        json_extract({document}, {path})
        json_extract({json}, {path})
        json_parse({document})
        try(json_parse({document}))
        """,
    "integers": """
        array[{integer}, {integer}]
        array_distinct({integers})
        array_sort({integers})
        array_sort({integers}, (a, b) -> if(a < b, 1, if(a = b, 0, -1)))
        array_union({integers}, {integers})
        array_intersect({integers}, {integers})
        array_except({integers}, {integers})
        array_remove({integers}, {small})
        {integers} || {integers}
        {integers} || {integer}
        filter({integers}, e -> e > {small})
        transform({integers}, e -> e * 2)
        transform({integers}, e -> coalesce(e, {small}))
        slice({integers}, {small}, {positive})
        reverse({integers})
        flatten(array[{integers}, {integers}])
        zip_with({integers}, {integers}, (a, b) -> coalesce(a, 0) + coalesce(b, 0))
        repeat({integer}, {positive})
        map_values({map})
        cast({json} as array(integer))
        trim_array({integers}, 1)
        shuffle(array[{integer}])
        """,
    "texts": """
        split({varchar}, ',')
        split({varchar}, {varchar}, 2)
        regexp_extract_all({varchar}, {pattern})
        regexp_split({varchar}, {pattern})
        map_keys({map})
        transform({integers}, e -> cast(e as varchar))
        array_sort({texts})
        array_distinct({texts})
        {texts} || {varchar}
        cast({integers} as array(varchar))
        filter({texts}, e -> length(e) > 0)
        ngrams({texts}, 2)[1]
        """,
    "doubles": """
        array[{double}, {double}]
        array_sort({doubles})
        cast({integers} as array(double))
        array_distinct({doubles})
        """,
    "map": """
        map_filter({map}, (k, v) -> v > 1)
        map_concat({map}, {map})
        transform_values({map}, (k, v) -> v + 1)
        transform_keys({map}, (k, v) -> k || 'z')
        map_from_entries(array[row('q', {integer})])
        map(array['k'], array[{integer}])
        cast({json} as map(varchar, integer))
        map_zip_with({map}, {map}, (k, a, b) -> coalesce(a, 0) + coalesce(b, 0))
        map_agg_of_nothing
        """,
    "row": """
        cast(row({integer}, {varchar}) as row(x integer, y varchar))
        cast({json} as row(x integer, y varchar))
        """,
}  # fmt: skip


def _lines(text: str) -> list[str]:
    return [line.strip() for line in text.strip().splitlines() if line.strip() and "of_nothing" not in line]


ORDERED = (
    "boolean", "integer", "bigint", "real", "double", "decimal", "varchar", "char", "varbinary", "date", "timestamp",
    "zoned", "time", "days", "months", "integers", "texts",
)  # fmt: skip
TYPES = (*ORDERED, "tinyint", "smallint", "json", "doubles", "map", "row")
TEMPLATES: Mapping[str, Sequence[str]] = {
    kind: [*_lines(_TEMPLATES.get(kind, "")), *_SAME, *(_ORDERED if kind in ORDERED else ())] for kind in TYPES
}
