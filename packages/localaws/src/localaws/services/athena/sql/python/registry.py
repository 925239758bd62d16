"""The Python functions under the engine's names: registered when a statement first mentions one."""

import re
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from localaws.services.athena.sql.python import (
    clocks,
    distinct_counts,
    formats,
    iso_times,
    json_values,
    moments,
    numbers,
    regexes,
    texts,
    urls,
)

if TYPE_CHECKING:
    import duckdb
    import pyarrow as pa
    from duckdb.sqltypes import DuckDBPyType

Entry = tuple[Callable[..., object], str, str]
_MENTION = re.compile(r"\bpy_\w+")

# Name: function, types of arguments, type of the result. Null arguments give null, save where it says otherwise.
FUNCTIONS: dict[str, Entry] = {
    "double_text": (numbers.double_text, "DOUBLE", "VARCHAR"),
    "real_text": (numbers.real_text, "FLOAT", "VARCHAR"),
    "double_json": (numbers.double_json, "DOUBLE", "VARCHAR"),
    "exact": (numbers.exact, "DOUBLE INTEGER", "VARCHAR"),
    "exact_real": (numbers.exact_real, "FLOAT INTEGER", "VARCHAR"),
    "power": (numbers.power, "DOUBLE DOUBLE", "DOUBLE"),
    "cbrt": (numbers.cbrt, "DOUBLE", "DOUBLE"),
    "log": (numbers.log, "DOUBLE DOUBLE", "DOUBLE"),
    "width_bucket": (numbers.width_bucket, "DOUBLE DOUBLE DOUBLE BIGINT", "BIGINT"),
    "width_bucket_of": (numbers.width_bucket_of, "DOUBLE DOUBLE[]", "BIGINT"),
    "shift_left": (numbers.shift_left, "BIGINT BIGINT BIGINT", "BIGINT"),
    "shift_right": (numbers.shift_right, "BIGINT BIGINT BIGINT", "BIGINT"),
    "bit_count": (numbers.bit_count, "BIGINT BIGINT", "BIGINT"),
    "to_base": (numbers.to_base, "BIGINT BIGINT", "VARCHAR"),
    "from_base": (numbers.from_base, "VARCHAR BIGINT", "BIGINT"),
    "normal_cdf": (numbers.normal_cdf, "DOUBLE DOUBLE DOUBLE", "DOUBLE"),
    "inverse_normal_cdf": (numbers.inverse_normal_cdf, "DOUBLE DOUBLE DOUBLE", "DOUBLE"),
    "corr": (moments.correlation, "DOUBLE[] DOUBLE[]", "DOUBLE"),
    "regr_slope": (moments.slope, "DOUBLE[] DOUBLE[]", "DOUBLE"),
    "regr_intercept": (moments.intercept, "DOUBLE[] DOUBLE[]", "DOUBLE"),
    "skewness": (moments.skewness, "DOUBLE[]", "DOUBLE"),
    "kurtosis": (moments.kurtosis, "DOUBLE[]", "DOUBLE"),
    "human_seconds": (numbers.human_seconds, "DOUBLE", "VARCHAR"),
    "reverse": (texts.reverse, "VARCHAR", "VARCHAR"),
    "reverse_binary": (texts.reverse_binary, "BLOB", "BLOB"),
    "substr_binary": (texts.substr_binary, "BLOB BIGINT BIGINT", "BLOB"),
    "replace": (texts.replace, "VARCHAR VARCHAR VARCHAR", "VARCHAR"),
    "split": (texts.split, "VARCHAR VARCHAR BIGINT", "VARCHAR[]"),
    "split_to_map": (texts.split_to_map, "VARCHAR VARCHAR VARCHAR", "MAP(VARCHAR, VARCHAR)"),
    "split_to_multimap": (texts.split_to_multimap, "VARCHAR VARCHAR VARCHAR", "MAP(VARCHAR, VARCHAR[])"),
    "strpos": (texts.strpos, "VARCHAR VARCHAR BIGINT", "BIGINT"),
    "translate": (texts.translate, "VARCHAR VARCHAR VARCHAR", "VARCHAR"),
    "levenshtein": (texts.levenshtein, "VARCHAR VARCHAR", "BIGINT"),
    "hamming": (texts.hamming, "VARCHAR VARCHAR", "BIGINT"),
    "soundex": (texts.soundex, "VARCHAR", "VARCHAR"),
    "normalize": (texts.normalize, "VARCHAR VARCHAR", "VARCHAR"),
    "luhn": (texts.luhn, "VARCHAR", "BOOLEAN"),
    "format_number": (texts.format_number, "BIGINT", "VARCHAR"),
    "from_utf8": (texts.from_utf8, "BLOB VARCHAR", "VARCHAR"),
    "from_hex": (texts.from_hex, "VARCHAR", "BLOB"),
    "from_base64": (texts.from_base64, "VARCHAR", "BLOB"),
    "to_base32": (texts.to_base32, "BLOB", "VARCHAR"),
    "from_base32": (texts.from_base32, "VARCHAR", "BLOB"),
    "sha512": (texts.sha512, "BLOB", "BLOB"),
    "crc32": (texts.crc32, "BLOB", "BIGINT"),
    "xxhash64": (texts.xxhash64, "BLOB", "BLOB"),
    "hmac": (texts.hmac, "VARCHAR BLOB BLOB", "BLOB"),
    "to_big_endian": (texts.to_big_endian, "BIGINT INTEGER", "BLOB"),
    "from_big_endian": (texts.from_big_endian, "BLOB INTEGER", "BIGINT"),
    "format": (formats.format_java, "VARCHAR VARCHAR[] VARCHAR", "VARCHAR"),
    "url_part": (urls.part, "VARCHAR VARCHAR", "VARCHAR"),
    "url_parameter": (urls.parameter, "VARCHAR VARCHAR", "VARCHAR"),
    "url_encode": (urls.encode, "VARCHAR", "VARCHAR"),
    "url_decode": (urls.decode, "VARCHAR", "VARCHAR"),
    "regexp_like": (regexes.like, "VARCHAR VARCHAR", "BOOLEAN"),
    "regexp_extract": (regexes.extract, "VARCHAR VARCHAR BIGINT", "VARCHAR"),
    "regexp_extract_all": (regexes.extract_all, "VARCHAR VARCHAR BIGINT", "VARCHAR[]"),
    "regexp_replace": (regexes.replace, "VARCHAR VARCHAR VARCHAR", "VARCHAR"),
    "regexp_pieces": (regexes.pieces, "VARCHAR VARCHAR", "VARCHAR[][]"),
    "regexp_split": (regexes.split, "VARCHAR VARCHAR", "VARCHAR[]"),
    "regexp_count": (regexes.count, "VARCHAR VARCHAR", "BIGINT"),
    "regexp_position": (regexes.place, "VARCHAR VARCHAR BIGINT BIGINT", "BIGINT"),
    "json_text": (json_values.quoted, "VARCHAR", "VARCHAR"),
    "json_parse": (json_values.parse, "VARCHAR", "VARCHAR"),
    "json_extract": (json_values.extract, "VARCHAR VARCHAR", "VARCHAR"),
    "json_scalar": (json_values.scalar, "VARCHAR VARCHAR", "VARCHAR"),
    "json_size": (json_values.size, "VARCHAR VARCHAR", "BIGINT"),
    "json_array_length": (json_values.array_length, "VARCHAR", "BIGINT"),
    "json_array_get": (json_values.array_get, "VARCHAR BIGINT", "VARCHAR"),
    "json_array_contains": (json_values.array_contains, "VARCHAR VARCHAR VARCHAR", "BOOLEAN"),
    "is_json_scalar": (json_values.is_scalar, "VARCHAR", "BOOLEAN"),
    "json_cast": (json_values.cast, "VARCHAR VARCHAR", "VARCHAR"),
    "json_shape": (json_values.shape, "VARCHAR VARCHAR", "VARCHAR"),
    "known_zone": (clocks.known_zone, "VARCHAR", "VARCHAR"),
    "zone_name": (clocks.zone_name, "VARCHAR", "VARCHAR"),
    "joda_format": (clocks.joda_format, "TIMESTAMP VARCHAR VARCHAR", "VARCHAR"),
    "joda_parse": (clocks.joda_parse, "VARCHAR VARCHAR", "VARCHAR"),
    "mysql_format": (clocks.mysql_format, "TIMESTAMP VARCHAR", "VARCHAR"),
    "mysql_parse": (clocks.mysql_parse, "VARCHAR VARCHAR", "TIMESTAMP"),
    "iso_instant": (iso_times.instant, "VARCHAR", "BIGINT"),
    "iso_zone": (iso_times.zone_of, "VARCHAR", "VARCHAR"),
    "iso_date": (iso_times.date_text, "VARCHAR", "VARCHAR"),
    "distinct_integers": (distinct_counts.of_integers, "BIGINT[]", "BIGINT"),
    "distinct_doubles": (distinct_counts.of_doubles, "DOUBLE[]", "BIGINT"),
    "distinct_texts": (distinct_counts.of_texts, "VARCHAR[]", "BIGINT"),
    "days_text": (clocks.days_text, "BIGINT", "VARCHAR"),
    "months_text": (clocks.months_text, "INTEGER", "VARCHAR"),
    "parse_duration": (clocks.duration, "VARCHAR", "BIGINT"),
}
_OPTIONAL = {"py_substr_binary": 2, "py_joda_format": 2}  # the argument that may be null


def mentioned(sql: str) -> set[str]:
    """The Python functions that the engine's text calls."""
    return {name for name in _MENTION.findall(sql) if name.removeprefix("py_") in FUNCTIONS}


def register(database: "duckdb.DuckDBPyConnection", names: Sequence[str]) -> None:
    """Make functions known to the database."""
    from duckdb.func import ARROW, SPECIAL

    for name in names:
        function, parameters, result = FUNCTIONS[name.removeprefix("py_")]
        database.create_function(
            name,
            _sized(_vectorized(function, _arrow_type(result), _OPTIONAL.get(name)), len(parameters.split(" "))),
            [_engine_type(parameter) for parameter in parameters.split(" ")],
            _engine_type(result),
            type=ARROW,
            null_handling=SPECIAL,
        )


def _engine_type(name: str) -> "DuckDBPyType":
    from duckdb.sqltypes import DuckDBPyType

    return DuckDBPyType(name)


def _arrow_type(name: str) -> "pa.DataType":
    import pyarrow as pa

    if name.endswith("[]"):
        return pa.list_(_arrow_type(name[:-2]))
    if name.startswith("MAP"):
        return pa.map_(pa.string(), _arrow_type(name[name.index(", ") + 2 : -1]))
    return {
        "VARCHAR": pa.string(), "BIGINT": pa.int64(), "DOUBLE": pa.float64(), "BOOLEAN": pa.bool_(),
        "BLOB": pa.binary(), "TIMESTAMP": pa.timestamp("us"),
    }[name]  # fmt: skip


def _vectorized(
    function: Callable[..., object], kind: "pa.DataType", optional: int | None
) -> "Callable[..., pa.Array]":
    """The function over columns."""
    import pyarrow as pa

    def over(*columns: "pa.Array") -> "pa.Array":
        rows = zip(*(column.to_pylist() for column in columns), strict=True)
        return pa.array([_row(function, row, optional) for row in rows], kind)

    return over


def _sized(over: "Callable[..., pa.Array]", count: int) -> "Callable[..., pa.Array]":
    """The function with that many parameters: the engine counts them."""
    built: dict[int, Callable[..., pa.Array]] = {
        1: lambda a: over(a),  # noqa: PLW0108 - the engine counts parameters
        2: lambda a, b: over(a, b),  # noqa: PLW0108 - the engine counts parameters
        3: lambda a, b, c: over(a, b, c),  # noqa: PLW0108 - the engine counts parameters
        4: lambda a, b, c, d: over(a, b, c, d),  # noqa: PLW0108 - the engine counts parameters
    }
    return built[count]


def _row(function: Callable[..., object], row: tuple[object, ...], optional: int | None) -> object:
    if any(value is None and place != optional for place, value in enumerate(row)):
        return None
    return function(*row)
