"""Whole statements: expressions over literals and over a relation, grouped, windowed, joined, nested."""

import random
import re
from collections.abc import Iterator

from localaws.testing.athena.generator.expressions import ORDERED, TEMPLATES, TYPES
from localaws.testing.athena.generator.literals import LITERALS

_COLUMNS = {
    "id": "integer", "i": "integer", "b": "bigint", "d": "double", "n": "decimal", "s": "varchar", "f": "boolean",
    "dt": "date", "ts": "timestamp", "a": "integers", "m": "map", "g": "varchar", "tz": "zoned",
}  # fmt: skip
_RELATION = """(values
 (1, 10, bigint '5', 1.5e0, 1.25, 'ann', true, date '2024-01-31', timestamp '2024-01-31 23:59:59.999', array[1,2], map(array['a'],array[1]), 'x', timestamp '2024-01-31 23:59:59.999 UTC'),
 (2, null, bigint '7', 2.5e0, 2.75, 'Bob', false, date '2024-02-29', timestamp '2024-02-29 00:00:00.000', array[2,null], map(array['b'],array[null]), 'x', timestamp '2024-02-29 00:00:00.000 Europe/Berlin'),
 (3, 7, null, -0.5e0, null, 'é ß', null, null, timestamp '2024-03-10 02:30:00.123', array[], map(), 'y', null),
 (4, 7, bigint '-2', null, -2.50, '', true, date '2023-12-31', null, null, null, null, timestamp '2024-03-10 02:30:00.123 UTC'),
 (5, -3, bigint '7', 2.5e0, 0.05, null, true, date '2024-02-29', timestamp '2024-03-10 02:30:00.123', array[3,3,1], map(array['a','c'],array[4,5]), 'y', timestamp '2024-02-28 23:00:00.000 UTC'),
 (6, 0, bigint '0', 100e0, 100.00, ' trail ', false, date '2000-01-01', timestamp '1999-12-31 23:59:59.000', array[9], map(array['z'],array[0]), 'z', timestamp '2000-01-01 00:00:00.000 UTC')
) as t(id, i, b, d, n, s, f, dt, ts, a, m, g, tz)"""  # fmt: skip # noqa: E501
_HOLE = re.compile(r"\{(\w+)\}")
_AGGREGATES = """
count(*)
count({any})
count(distinct dt)
count(distinct s)
count(distinct n)
sum({integer})
sum({bigint})
sum({double})
sum({decimal})
sum({real})
sum({days})
sum(distinct {integer})
avg({integer})
avg({double})
avg({decimal})
avg({real})
avg(distinct {decimal})
min({O})
max({O})
min({double})
max({integer}, 2)
min_by({any}, {O})
max_by({O}, {O})
max_by({varchar}, {integer}, 2)
bool_and({boolean})
bool_or({boolean})
every({boolean})
count_if({boolean})
array_agg({O} order by {O}, id)
array_agg(distinct {integer} order by {integer})
array_agg({integer} order by id desc) filter (where {boolean})
array_join(array_agg({varchar} order by id), ',')
listagg({varchar}, ',') within group (order by id)
map_agg(id, {O})
histogram({integer})
histogram({varchar})
approx_distinct({O})
approx_percentile({integer}, 0.5)
approx_percentile({double}, 0.9)
approx_percentile({double}, array[0.25, 0.75])
stddev({integer})
stddev_pop({double})
variance({double})
var_pop({decimal})
corr({double}, {integer})
covar_samp({double}, {double})
geometric_mean({double})
sum({integer}) filter (where {boolean})
count(*) filter (where {boolean})
arbitrary(g)
any_value(g)
bitwise_and_agg({bigint})
bitwise_or_agg({integer})
checksum({O})
skewness({double})
kurtosis({double})
regr_slope({double}, {double})
100.0 * count(*) / sum(count(*)) over ()
sum({integer}) * 1.0 / count(*)
round(avg({decimal}), 1)
max({integer}) - min({integer})
multimap_agg(g, {integer})
map_union({map})
reduce_agg({integer}, 0, (s, x) -> s + x, (s, x) -> s + x)
approx_most_frequent(2, {varchar}, 10)
"""
_WINDOWS = """
row_number() over (partition by g order by id)
rank() over (order by {O})
dense_rank() over (partition by {O} order by {O} desc)
percent_rank() over (order by {O})
cume_dist() over (order by {O})
ntile({positive}) over (order by id)
lag({O}) over (order by id)
lag({integer}, {positive}, {integer}) over (partition by g order by id)
lead({O}, {positive}) over (order by id)
lead({varchar}) ignore nulls over (order by id)
first_value({O}) over (partition by g order by id)
last_value({O}) over (order by id)
last_value({integer}) ignore nulls over (order by id rows between unbounded preceding and current row)
nth_value({O}, {positive}) over (order by id)
sum({integer}) over (order by id rows between {positive} preceding and current row)
sum({integer}) over (order by id rows between unbounded preceding and unbounded following)
avg({double}) over (order by id rows between 1 preceding and 1 following)
avg({decimal}) over (partition by g)
count(*) over (order by {O} range between unbounded preceding and current row)
count({O}) over (order by id range between 1 preceding and 1 following)
sum({integer}) over (order by dt range between interval '31' day preceding and current row)
max({O}) over (partition by g order by id groups between 1 preceding and current row)
sum(sum(id)) over (order by g)
min({double}) over (order by id rows between current row and 2 following)
array_agg(id) over (order by id rows between 1 preceding and current row)
sum({integer}) filter (where {boolean}) over (order by id)
"""


def _lines(text: str) -> list[str]:
    return [line.strip() for line in text.strip().splitlines()]


class Generator:
    """`mistakes` is the share of holes that get a value of another type than they ask for."""

    def __init__(self, seed: int, mistakes: float = 0.02) -> None:
        self._random = random.Random(seed)
        self._mistakes = mistakes
        self._columns = False
        self._aggregates = _lines(_AGGREGATES)
        self._windows = _lines(_WINDOWS)

    def statement(self) -> str:
        kinds = (
            (self._constant, 40), (self._projection, 16), (self._grouped, 16), (self._windowed, 9),
            (self._set_operation, 4), (self._joined, 5), (self._unnested, 4), (self._correlated, 3),
            (self._sorted, 4), (self._grouping_sets, 4),
        )  # fmt: skip
        build = self._random.choices([kind for kind, _ in kinds], [weight for _, weight in kinds])[0]
        self._columns = build is not self._constant
        return build()

    def value(self, kind: str, depth: int) -> str:
        """An expression of a type."""
        if kind == "any":
            kind = self._random.choice(TYPES)
        if self._random.random() < self._mistakes and kind in TYPES:
            kind = self._random.choice(TYPES)
        if kind not in TEMPLATES or depth <= 0 or self._random.random() < 0.25:
            return self._leaf(kind)
        return self._filled(self._random.choice(TEMPLATES[kind]), depth - 1, kind)

    def _leaf(self, kind: str) -> str:
        columns = [name for name, column in _COLUMNS.items() if column == kind]
        if self._columns and columns and self._random.random() < 0.7:
            return self._random.choice(columns)
        return self._random.choice(LITERALS[kind])

    def _filled(self, template: str, depth: int, kind: str = "") -> str:
        ordered = self._random.choice(ORDERED)

        def hole(match: re.Match[str]) -> str:
            requested = {"T": kind, "O": ordered}.get(match[1], match[1])
            value = self.value(requested, depth)
            return value if re.fullmatch(r"[\w.]+|'[^']*'|\w+\([^()]*\)", value) else f"({value})"

        return _HOLE.sub(hole, template)

    def _depth(self) -> int:
        return self._random.choice((1, 1, 2, 2, 3))

    def _constant(self) -> str:
        value = self.value(self._random.choice(TYPES), self._depth())
        return f"select {value}" if self._random.random() < 0.5 else f"select {value} as v, typeof({value}) as k"

    def _where(self) -> str:
        return f" where {self.value('boolean', 2)}" if self._random.random() < 0.3 else ""

    def _projection(self) -> str:
        value = self.value(self._random.choice(TYPES), self._depth())
        return f"select id, {value} as v from {_RELATION}{self._where()}"

    def _aggregate(self) -> str:
        return self._filled(self._random.choice(self._aggregates), self._random.choice((0, 0, 1)))

    def _grouped(self) -> str:
        measures = ", ".join(self._aggregate() for _ in range(self._random.choice((1, 1, 2))))
        key = self._random.choice(("g", "f", "dt", "i", "", "", "upper(g)", "year(dt)", "tz", "n"))
        if not key:
            return f"select {measures} from {_RELATION}{self._where()}"
        by = self._random.choice((key, "1"))
        having = f" having {self._random.choice(('count(*) > 1', 'max(id) > 2', 'sum(i) is null'))}"
        return (
            f"select {key}, {measures} from {_RELATION}{self._where()} group by {by}"
            f"{having if self._random.random() < 0.2 else ''}"
        )

    def _windowed(self) -> str:
        measure = self._filled(self._random.choice(self._windows), self._random.choice((0, 0, 1)))
        if measure.startswith("sum(sum"):
            return f"select g, {measure} from {_RELATION} group by g"
        return f"select id, {measure} as v from {_RELATION}{self._where()}"

    def _set_operation(self) -> str:
        kind = self._random.choice(ORDERED)
        word = self._random.choice(("union", "union all", "intersect", "except", "except all", "intersect all"))
        sides = [f"select {self.value(kind, 1)} as v from {_RELATION}{self._where()}" for _ in range(2)]
        return f"select v, count(*) from ({sides[0]} {word} {sides[1]}) as u group by v"

    def _joined(self) -> str:
        side = self._random.choice(("join", "left join", "right join", "full join"))
        # Of instants that are equal, Trino may show either zone.
        kind = self._random.choice([name for name in ORDERED if name != "zoned"])
        left = self._random.choice([name for name, column in _COLUMNS.items() if column == kind] or ["id"])
        other = f"(select id, {self.value(kind, 1)} as k from {_RELATION}) as o"
        if self._random.random() < 0.3:
            return f"select id, t.s, o.k from {_RELATION} {side} {other} using (id)"
        return f"select t.id, o.id, o.k from {_RELATION} {side} {other} on t.{left} = o.k"

    def _unnested(self) -> str:
        source = self.value(self._random.choice(("integers", "texts", "map")), 1)
        names = "k, v" if re.search(r"\bmap|\bm\b", source) and "map_" not in source else "v"
        ordinality = self._random.random() < 0.4
        names += ", o" if ordinality else ""
        word = self._random.choice(("cross join", "left join"))
        on = " on true" if word == "left join" else ""
        return (
            f"select id, {names} from {_RELATION} {word} unnest({source})"
            f"{' with ordinality' if ordinality else ''} as x({names}){on}"
        )

    def _correlated(self) -> str:
        template = self._random.choice(
            (
                "(select max(o.i) from {R} where o.g = t.g)",
                "exists (select 1 from {R} where o.id > t.id and o.g = t.g)",
                "(select count(*) from {R} where o.b = t.b)",
                "t.i in (select o.i from {R} where o.id <> t.id)",
                "t.i not in (select o.i from {R} where o.i is not null)",
                "(select {O} from {R} where o.id = 3)",
                "(select o.s from {R} where o.id = t.id)",
                "(select o.s from {R} where o.g = t.g)",
            )
        )
        inner = _RELATION.replace("as t(", "as o(")
        return f"select id, {self._filled(template.replace('{R}', '@'), 1).replace('@', inner)} as v from {_RELATION}"

    def _sorted(self) -> str:
        kind = self._random.choice(ORDERED)
        direction = self._random.choice(("", " desc", " asc nulls first", " desc nulls last", " nulls first"))
        limit = self._random.choice(("", " limit 3", " offset 2", " offset 1 limit 2", " fetch first 2 rows only"))
        distinct = " distinct" if self._random.random() < 0.2 else ""
        if distinct:
            return f"select distinct {self.value(kind, 1)} as v from {_RELATION} order by v{direction}{limit}"
        return f"select id, {self.value(kind, 1)} as v from {_RELATION} order by v{direction}, id{limit}"

    def _grouping_sets(self) -> str:
        sets = self._random.choice(
            (
                "rollup (g, f)",
                "cube (g, f)",
                "grouping sets ((g), (f), ())",
                "grouping sets ((g, f), (g))",
                "g, rollup (f)",
            )
        )
        return f"select g, f, grouping(g, f), {self._aggregate()} from {_RELATION} group by {sets}"


def statements(seed: int, count: int, mistakes: float = 0.02) -> Iterator[str]:
    """So many statements; the same ones for the same seed."""
    generator = Generator(seed, mistakes)
    for _ in range(count):
        yield generator.statement()
