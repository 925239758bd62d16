"""Queries ("SqlBase.g4": query, queryNoWith, querySpecification, relation, windowSpecification)."""

from collections.abc import Callable, Mapping

from sqlglot import exp

from localaws.services.athena.sql.failures import QueryFailed, not_supported
from localaws.services.athena.sql.grammar.expressions import ExpressionParser
from localaws.services.athena.sql.grammar.nodes import Call
from localaws.services.athena.sql.grammar.token_cursor import placed, position

_SET: dict[str, type[exp.SetOperation]] = {"union": exp.Union, "except": exp.Except, "intersect": exp.Intersect}
_SIDES = ("left", "right", "full")
_JOINS = ("cross", "natural", "inner", "join", *_SIDES)


class QueryParser(ExpressionParser):
    """Reads queries."""

    def query(self) -> exp.Query:
        with_ = self._with()
        query = self._body()
        if with_ is not None:
            if query.args.get("with_") is not None:
                query = exp.select(exp.Star()).from_(exp.Subquery(this=query, alias=_alias("_query")))
            query.set("with_", with_)
        return query

    def _with(self) -> exp.With | None:
        if not self.take("with"):
            return None
        recursive = self.take("recursive")
        entries = [self._cte()]
        while self.take(","):
            entries.append(self._cte())
        return exp.With(expressions=entries, recursive=recursive)

    def _cte(self) -> exp.CTE:
        name = self.identifier()
        columns = self._column_names()
        self.expect("as", "(")
        query = self.query()
        self.expect(")")
        return exp.CTE(this=query, alias=exp.TableAlias(this=name, columns=columns))

    def _column_names(self) -> list[exp.Identifier]:
        if not self.take("("):
            return []
        names = [self.identifier()]
        while self.take(","):
            names.append(self.identifier())
        self.expect(")")
        return names

    def _body(self) -> exp.Query:
        query = self._set_operations()
        limits = self._limits()
        if limits:
            if isinstance(query, exp.Subquery) or any(query.args.get(key) for key in ("order", "limit", "offset")):
                query = exp.select(exp.Star()).from_(exp.Subquery(this=query, alias=_alias("_query")))
            for key, part in limits.items():
                _put_windows(part, query.meta.get("windows") or {})
                _check_windows(part)
                query.set(key, part)
        return query

    def _limits(self) -> dict[str, exp.Expr]:
        parts: dict[str, exp.Expr] = {}
        if self.take("order", "by"):
            parts["order"] = exp.Order(expressions=self.sort_items())
        if self.take("offset"):
            parts["offset"] = exp.Offset(expression=self._count())
            if self.sees_any("row", "rows"):
                self.step()
        if self.take("limit"):
            if not self.take("all"):
                parts["limit"] = exp.Limit(expression=self._count())
        elif self.take("fetch"):
            parts["limit"] = self._fetch()
        return parts

    def _fetch(self) -> exp.Expr:
        if not self.sees_any("first", "next"):
            self.refuse("'FIRST'", "'NEXT'")
        self.step()
        count = _single_row() if self.sees_any("row", "rows") else self._count()
        if not self.sees_any("row", "rows"):
            self.refuse("'ROW'", "'ROWS'")
        self.step()
        limit = exp.Limit(expression=count)
        if self.take("with", "ties"):
            limit.meta["ties"] = True
        else:
            self.expect("only")
        return limit

    def _count(self) -> exp.Expr:
        if self.sees("?"):
            return self.value()
        node = exp.Literal.number(str(self.integer()))
        node.meta["kind"] = "integer"
        return node

    def _set_operations(self) -> exp.Query:
        left = self._intersections()
        while self.sees_any("union", "except"):
            left = self._set_operation(left, self._intersections)
        return left

    def _intersections(self) -> exp.Query:
        left = self._term()
        while self.sees("intersect"):
            left = self._set_operation(left, self._term)
        return left

    def _set_operation(self, left: exp.Query, read: Callable[[], exp.Query]) -> exp.Query:
        word = self.step()
        distinct = True
        if self.sees_any("all", "distinct"):
            distinct = self.step().text.lower() == "distinct"
        right = read()
        return placed(_SET[word.text.lower()](this=left, expression=right, distinct=distinct), word.at)

    def _term(self) -> exp.Query:
        place = self.word.at
        if self.take("("):
            query = self.query()
            self.expect(")")
            return exp.Subquery(this=query)
        if self.sees("values"):
            return placed(exp.select(exp.Star()).from_(self._values()), place)
        if self.take("table"):
            return placed(exp.select(exp.Star()).from_(self._table()), place)
        return self._select()

    def _values(self) -> exp.Values:
        place = self.expect("values").at
        rows = self.expressions()
        return placed(exp.Values(expressions=rows, alias=exp.TableAlias()), place)

    def _select(self) -> exp.Select:
        place = self.expect("select").at
        select = placed(exp.Select(), place)
        if self.take("distinct"):
            select.set("distinct", exp.Distinct())
        else:
            self.take("all")
        items = [self._item()]
        while self.take(","):
            items.append(self._item())
        select.set("expressions", items)
        if self.take("from"):
            self._from(select)
        if self.take("where"):
            select.set("where", exp.Where(this=self.expression()))
        if self.take("group", "by"):
            select.set("group", self._group())
        if self.take("having"):
            select.set("having", exp.Having(this=self.expression()))
        if self.take("window"):
            self._name_windows(select)
        _check_windows(select)
        return select

    def _item(self) -> exp.Expr:
        place = self.word.at
        if self.take("*"):
            return placed(exp.Star(), place)
        if self.is_name():
            parts = 1
            while self.ahead(2 * parts - 1).text == "." and self.is_name(2 * parts):
                parts += 1
            if self.ahead(2 * parts - 1).text == "." and self.ahead(2 * parts).text == "*":
                return self._qualified_star(parts)
        value = self.expression()
        if self.take("as"):
            return placed(exp.Alias(this=value, alias=self.identifier()), place)
        if self.is_name() and not self._is_clause():
            return placed(exp.Alias(this=value, alias=self.identifier()), place)
        return value

    def _qualified_star(self, parts: int) -> exp.Expr:
        place = self.word.at
        names = []
        for _ in range(parts):
            names.append(self.identifier())
            self.expect(".")
        self.expect("*")
        if self.sees("as"):
            raise not_supported("Column aliases of a row's star")
        keys = ("table", "db", "catalog")
        if parts > len(keys):
            self.refuse()
        return placed(exp.Column(this=exp.Star(), **dict(zip(keys, reversed(names), strict=False))), place)

    def _from(self, select: exp.Select) -> None:
        first = self._joined()
        start, joins = first
        select.set("from_", exp.From(this=start))
        while self.take(","):
            source, more = self._joined()
            if more and not isinstance(source, exp.Unnest):
                source = _grouped(source, more)
                more = []
            joins += [exp.Join(this=source), *more]
        select.set("joins", joins)

    def _joined(self) -> tuple[exp.Expr, list[exp.Join]]:
        """A relation and its joins, left to right."""
        source = self._primary_relation()
        joins = []
        while self.sees_any(*_JOINS):
            joins.append(self._join())
        return source, joins

    def _join(self) -> exp.Join:
        place = self.word.at
        if self.take("cross", "join"):
            return placed(exp.Join(this=self._primary_relation(), kind="CROSS"), place)
        natural = self.take("natural")
        if natural:
            raise not_supported("A natural join")
        side = self.step().text.upper() if self.sees_any(*_SIDES) else ""
        if side:
            self.take("outer")
        else:
            self.take("inner")
        self.expect("join")
        source, nested = self._joined_right()
        if nested:
            source = _grouped(source, nested)
        join = placed(exp.Join(this=source, side=side or None), place)
        if self.take("using"):
            join.set("using", self._column_names() or self.refuse("'('"))
        else:
            self.expect("on")
            join.set("on", self.expression())
        return join

    def _joined_right(self) -> tuple[exp.Expr, list[exp.Join]]:
        """The right side of a join: `a join b join c on .. on ..` nests."""
        source = self._primary_relation()
        joins = []
        while self.sees_any(*_JOINS):
            joins.append(self._join())
        return source, joins

    def _primary_relation(self) -> exp.Expr:
        source = self._relation()
        if self.sees("match_recognize"):
            raise not_supported("MATCH_RECOGNIZE")
        if self.sees("tablesample"):
            raise not_supported("TABLESAMPLE")
        return source

    def _relation(self) -> exp.Expr:
        place = self.word.at
        if self.take("unnest"):
            return placed(self._unnest(), place)
        if self.take("lateral"):
            self.expect("(")
            query = self.query()
            self.expect(")")
            lateral = exp.Lateral(this=exp.Subquery(this=query))
            return placed(self._aliased(lateral), place)
        if self.sees("("):
            return placed(self._aliased(self._parenthesized()), place)
        if self.sees("values"):
            self.refuse()
        if self.sees("table", "("):
            raise not_supported("A table function")
        return placed(self._aliased(self._table()), place)

    def _parenthesized(self) -> exp.Expr:
        if self.ahead().kind == "word" and self.ahead().text.lower() == "values" and self._values_only():
            self.expect("(")
            values = self._values()
            self.expect(")")
            return values
        self.expect("(")
        if self._starts_query():
            query = self.query()
            self.expect(")")
            return exp.Subquery(this=query)
        source, joins = self._joined()
        self.expect(")")
        if not joins:
            return source
        return _grouped(source, joins)

    def _values_only(self) -> bool:
        """Whether the parentheses hold VALUES and nothing after its rows."""
        depth = 0
        for distance in range(len(self.stream) - self.index):
            word = self.ahead(distance)
            if word.kind == "sign" and word.text in "()":
                depth += 1 if word.text == "(" else -1
                if depth == 0:
                    return True
            elif depth == 1 and word.kind == "word" and word.text.lower() in (
                "order", "limit", "offset", "fetch", "union", "intersect", "except",
            ):  # fmt: skip
                return False
        return False

    def _unnest(self) -> exp.Expr:
        self.expect("(")
        arguments = self.expressions()
        self.expect(")")
        node = exp.Unnest(expressions=arguments, offset=self.take("with", "ordinality"))
        return self._aliased(node)

    def _table(self) -> exp.Table:
        parts = [self.identifier()]
        while self.take("."):
            parts.append(self.identifier())
        if len(parts) > 3:
            self.refuse()
        table = exp.Table(**dict(zip(("this", "db", "catalog"), reversed(parts), strict=False)))
        if self.sees("for") and self.ahead().text.lower() in ("version", "timestamp", "system_time", "system_version"):
            raise not_supported("Time travel")
        return placed(table, parts[0].meta["at"])

    def _aliased(self, source: exp.Expr) -> exp.Expr:
        named = self.take("as")
        if named or (self.is_name() and not self.sees_any("tablesample", "match_recognize", *_JOINS, "window")
                     and not self._is_clause()):  # fmt: skip
            name = self.identifier()
            columns = self._column_names()
            if isinstance(source, exp.Subquery | exp.Table | exp.Values | exp.Unnest | exp.Lateral):
                if source.args.get("alias") is not None and source.args["alias"].args.get("this") is not None:
                    source = exp.Subquery(this=exp.select(exp.Star()).from_(source))
                source.set("alias", exp.TableAlias(this=name, columns=columns))
        return source

    def _is_clause(self) -> bool:
        """LIMIT, OFFSET and FETCH are no reserved words, but begin a clause where a number follows."""
        text = self.word.text.lower()
        following = self.ahead()
        if self.word.kind != "word":
            return False
        if text in ("limit", "offset"):
            return following.kind == "integer" or following.text.lower() in ("all", "?")
        return text == "fetch" and following.text.lower() in ("first", "next")

    def _group(self) -> exp.Group:
        if self.sees("all") or self.sees("distinct"):
            self.refuse("<expression>") if self.sees("all") and self.ahead().kind == "end" else self.step()
        group = exp.Group()
        sets: list[list[list[exp.Expr]]] = []
        plain: list[exp.Expr] = []
        while True:
            sets.append(self._grouping_element(plain))
            if not self.take(","):
                break
        group.set("expressions", plain)
        group.meta["sets"] = sets
        group.set("all", None)
        if any(len(element) != 1 for element in sets):
            group.set("grouping_sets", [exp.Tuple(expressions=[part.copy() for part in every[0]]) for every in sets])
        return group

    def _grouping_element(self, plain: list[exp.Expr]) -> list[list[exp.Expr]]:
        for word in ("rollup", "cube"):
            if self.sees(word, "("):
                self.expect(word, "(")
                keys = self._grouping_sets(closing=")")
                self.expect(")")
                if word == "rollup":
                    levels = [keys[:count] for count in range(len(keys), -1, -1)]
                else:
                    levels = [
                        [key for place, key in enumerate(keys) if mask & (1 << (len(keys) - 1 - place))]
                        for mask in range(2 ** len(keys) - 1, -1, -1)
                    ]
                return [[part for key in level for part in key] for level in levels]
        if self.take("grouping", "sets", "("):
            keys = self._grouping_sets(closing=")")
            self.expect(")")
            return keys
        keys = [self._grouping_set()]
        plain += keys[0]
        return keys

    def _grouping_sets(self, closing: str) -> list[list[exp.Expr]]:
        if self.sees(closing):
            return []
        keys = [self._grouping_set()]
        while self.take(","):
            keys.append(self._grouping_set())
        return keys

    def _grouping_set(self) -> list[exp.Expr]:
        if self.sees("(", ")"):
            self.expect("(", ")")
            return []
        node = self.expression()
        if isinstance(node, exp.Tuple):
            return list(node.expressions)
        return [node.this if isinstance(node, exp.Paren) else node]

    def _name_windows(self, select: exp.Select) -> None:
        """WINDOW name AS (...), put into the OVER of the SELECT that names it."""
        named: dict[str, exp.Window] = {}
        while True:
            name = self.identifier().name.lower()
            self.expect("as", "(")
            named[name] = self._specification(exp.Window())
            if not self.take(","):
                break
        select.meta["windows"] = named
        _put_windows(select, named)

    def sort_items(self) -> list[exp.Expr]:
        items = [self._sort_item()]
        while self.take(","):
            items.append(self._sort_item())
        return items

    def _sort_item(self) -> exp.Expr:
        place = self.word.at
        value = self.expression()
        descending = self.take("desc")
        if not descending:
            self.take("asc")
        first = False
        if self.take("nulls"):
            if not self.sees_any("first", "last"):
                self.refuse("'FIRST'", "'LAST'")
            first = self.step().text.lower() == "first"
        return placed(exp.Ordered(this=value, desc=descending, nulls_first=first), place)

    def window(self, call: exp.Expr) -> exp.Expr:
        self.expect("over")
        window = placed(exp.Window(this=call), call.meta["at"])
        if self.is_name():
            window.meta["named"] = self.identifier().name.lower()
            return window
        self.expect("(")
        if self.is_name() and not self.sees_any("partition", "rows", "range", "groups"):
            raise not_supported("A window that begins with the name of another")
        return self._specification(window)

    def _specification(self, window: exp.Window) -> exp.Window:
        if self.take("partition", "by"):
            window.set("partition_by", self.expressions())
        if self.take("order", "by"):
            window.set("order", exp.Order(expressions=self.sort_items()))
        if self.sees_any("rows", "range", "groups"):
            window.set("spec", self._frame())
        self.expect(")")
        return window

    def _frame(self) -> exp.WindowSpec:
        kind = self.step().text.upper()
        if self.take("between"):
            start = self._bound()
            self.expect("and")
            return exp.WindowSpec(
                kind=kind,
                start=start[0],
                start_side=start[1],
                **dict(zip(("end", "end_side"), self._bound(), strict=True)),
            )
        start = self._bound()
        return exp.WindowSpec(kind=kind, start=start[0], start_side=start[1], end="CURRENT ROW", end_side=None)

    def _bound(self) -> tuple[exp.Expr | str, str | None]:
        if self.take("current", "row"):
            return "CURRENT ROW", None
        size: exp.Expr | str = "UNBOUNDED" if self.take("unbounded") else self.expression()
        if not self.sees_any("preceding", "following"):
            self.refuse("'PRECEDING'", "'FOLLOWING'")
        return size, self.step().text.upper()


def _put_windows(node: exp.Expr, named: Mapping[str, exp.Window]) -> None:
    """Give each OVER of a name the specification of that name."""
    for window in node.find_all(exp.Window):
        specification = named.get(window.meta.get("named", ""))
        if specification is not None:
            del window.meta["named"]
            for key, part in specification.args.items():
                window.set(key, [item.copy() for item in part] if isinstance(part, list) else part.copy())


def _check_windows(node: exp.Expr) -> None:
    for window in node.find_all(exp.Window):
        if "named" in window.meta:
            line, column = position(window)
            raise QueryFailed(
                "INVALID_WINDOW_REFERENCE", f"line {line}:{column}: Cannot resolve WINDOW name {window.meta['named']}"
            )


def _single_row() -> exp.Expr:
    node = exp.Literal.number("1")
    node.meta["kind"] = "integer"
    return node


def _alias(name: str) -> exp.TableAlias:
    return exp.TableAlias(this=exp.to_identifier(name))


def _grouped(source: exp.Expr, joins: list[exp.Join]) -> exp.Expr:
    """Joins within parentheses: a relation whose columns keep their qualifiers."""
    node = exp.Subquery(this=exp.Select(expressions=[exp.Star()], from_=exp.From(this=source), joins=joins))
    node.meta["joined"] = True
    return node


def parse(sql: str, start: int = 0) -> exp.Query:
    """The query that begins at `start` and ends with the text. Raises SyntaxRefused."""
    parser = QueryParser(sql, start)
    query = parser.query()
    if parser.word.kind != "end":
        parser.refuse()
    return query


def parse_expression(sql: str) -> exp.Expr:
    """One expression on its own."""
    parser = QueryParser(sql)
    node = parser.expression()
    if parser.word.kind != "end":
        parser.refuse("<EOF>")
    return node


__all__ = ["Call", "QueryParser", "parse", "parse_expression"]
