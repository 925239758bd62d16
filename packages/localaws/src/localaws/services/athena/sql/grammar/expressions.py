"""Expressions ("SqlBase.g4": expression, booleanExpression, predicate, valueExpression, primaryExpression)."""

from sqlglot import exp

from localaws.services.athena.sql.failures import not_supported
from localaws.services.athena.sql.grammar.lexer import unescaped
from localaws.services.athena.sql.grammar.nodes import Call, Quantified, TypedLiteral
from localaws.services.athena.sql.grammar.token_cursor import Reading, placed
from localaws.services.athena.sql.grammar.types import TypeParser, is_type_name
from localaws.services.athena.sql.trino.types import char

_COMPARISONS: dict[str, type[exp.Binary]] = {
    "=": exp.EQ, "<>": exp.NEQ, "!=": exp.NEQ, "<": exp.LT, "<=": exp.LTE, ">": exp.GT, ">=": exp.GTE,
}  # fmt: skip
_SUMS: dict[str, type[exp.Binary]] = {"+": exp.Add, "-": exp.Sub}
_PRODUCTS: dict[str, type[exp.Binary]] = {"*": exp.Mul, "/": exp.Div, "%": exp.Mod}
_NILADIC = ("current_date", "current_timestamp", "localtimestamp", "current_time", "localtime", "current_user",
            "current_catalog", "current_schema", "current_path")  # fmt: skip
_JSON = ("json_array", "json_exists", "json_object", "json_query", "json_table", "json_value")
_INTERVAL_UNITS = ("year", "month", "day", "hour", "minute", "second")


class ExpressionParser(TypeParser):
    """Reads expressions; `query` comes from the parser of queries."""

    def query(self) -> exp.Query:
        raise NotImplementedError

    def sort_items(self) -> list[exp.Expr]:
        raise NotImplementedError

    def window(self, call: exp.Expr) -> exp.Expr:
        raise NotImplementedError

    def expressions(self) -> list[exp.Expr]:
        items = [self.expression()]
        while self.take(","):
            items.append(self.expression())
        return items

    def expression(self) -> exp.Expr:
        left = self._conjunction()
        while self.sees("or"):
            place = self.step().at
            left = placed(exp.Or(this=left, expression=self._conjunction()), place)
        return left

    def _conjunction(self) -> exp.Expr:
        left = self._negation()
        while self.sees("and"):
            place = self.step().at
            left = placed(exp.And(this=left, expression=self._negation()), place)
        return left

    def _negation(self) -> exp.Expr:
        if self.sees("not"):
            place = self.step().at
            return placed(exp.Not(this=self._negation()), place)
        return self._predicate()

    def _predicate(self) -> exp.Expr:
        left = self.value()
        place = self.word.at
        if self.word.kind == "sign" and self.word.text in _COMPARISONS:
            return self._comparison(left)
        negated = self.sees("not") and any(self.sees("not", word) for word in ("between", "in", "like"))
        if negated:
            self.step()
        node: exp.Expr
        if self.take("between"):
            low = self.value()
            self.expect("and")
            node = placed(exp.Between(this=left, low=low, high=self.value()), place)
        elif self.take("in"):
            node = placed(self._membership(left), place)
        elif self.take("like"):
            node = placed(exp.Like(this=left, expression=self.value()), place)
            if self.take("escape"):
                node = placed(exp.Escape(this=node, expression=self.value()), place)
        elif self.take("is"):
            return self._is(left, place)
        else:
            return left
        return placed(exp.Not(this=node), place) if negated else node

    def _comparison(self, left: exp.Expr) -> exp.Expr:
        sign = self.step()
        if self.sees_any("all", "any", "some") and self.sees(self.word.text.lower(), "("):
            every = self.step().text.lower() == "all"
            self.expect("(")
            query = self.query()
            self.expect(")")
            return placed(Quantified(this=left, expression=query, sign=sign.text, every=every), sign.at)
        return placed(_COMPARISONS[sign.text](this=left, expression=self.value()), sign.at)

    def _membership(self, left: exp.Expr) -> exp.Expr:
        self.expect("(")
        if self._starts_query():
            query = exp.Subquery(this=self.query())
            self.expect(")")
            return exp.In(this=left, query=query)
        items = self.expressions()
        self.expect(")")
        return exp.In(this=left, expressions=items)

    def _is(self, left: exp.Expr, place: tuple[int, int]) -> exp.Expr:
        negated = self.take("not")
        if self.take("distinct", "from"):
            kind: type[exp.Binary] = exp.NullSafeEQ if negated else exp.NullSafeNEQ
            return placed(kind(this=left, expression=self.value()), place)
        self.expect("null")
        node = placed(exp.Is(this=left, expression=exp.Null()), place)
        return placed(exp.Not(this=node), place) if negated else node

    def value(self) -> exp.Expr:
        left = self._sum()
        while self.sees("||"):
            place = self.step().at
            left = placed(exp.DPipe(this=left, expression=self._sum()), place)
        return left

    def _sum(self) -> exp.Expr:
        left = self._product()
        while self.word.kind == "sign" and self.word.text in _SUMS:
            sign = self.step()
            left = placed(_SUMS[sign.text](this=left, expression=self._product()), sign.at)
        return left

    def _product(self) -> exp.Expr:
        left = self._signed()
        while self.word.kind == "sign" and self.word.text in _PRODUCTS:
            sign = self.step()
            left = placed(_PRODUCTS[sign.text](this=left, expression=self._signed()), sign.at)
        return left

    def _signed(self) -> exp.Expr:
        if self.sees("-"):
            place = self.step().at
            return placed(exp.Neg(this=self._signed()), place)
        if self.take("+"):
            return self._signed()
        node = self._primary()
        while self.sees("at", "time", "zone"):
            place = self.word.at
            self.expect("at", "time", "zone")
            node = placed(exp.AtTimeZone(this=node, zone=self._primary()), place)
        return node

    def _primary(self) -> exp.Expr:
        place = self.word.at
        node = self._operand()
        if "at" not in node.meta:
            placed(node, place)
        while True:
            if self.take("["):
                index = self.value()
                self.expect("]")
                node = placed(exp.Bracket(this=node, expressions=[index]), place)
            elif self.sees(".") and self.is_name(1):
                self.step()
                node = placed(_dereferenced(node, self.identifier()), place)
            else:
                return node

    def _operand(self) -> exp.Expr:
        word = self.word
        if word.kind in ("string", "unicode", "binary", "integer", "decimal", "double"):
            return self._literal()
        if word.kind == "sign":
            return self._marked()
        text = word.text.lower() if word.kind == "word" else ""
        if text in ("null", "true", "false"):
            self.step()
            return exp.Null() if text == "null" else exp.Boolean(this=text == "true")
        if text in _NILADIC:
            return self._niladic(text)
        special = getattr(self, f"_{text}_", None) if text else None
        if special is not None and (form := special()) is not None:
            node: exp.Expr = form
            return node
        if text in _JSON:
            raise not_supported(f"The SQL/JSON function {text}")
        if self.is_name() and self.sees_sign_after("->"):
            return self._lambda([self.identifier()])
        if text and is_type_name(text) and (typed := self._typed()) is not None:
            return typed
        return self._name_or_call()

    def sees_sign_after(self, text: str) -> bool:
        following = self.ahead()
        return following.kind == "sign" and following.text == text

    def _literal(self) -> exp.Expr:
        word = self.step()
        if word.kind == "unicode":
            escape = "\\"
            if self.take("uescape"):
                escape = self.string()
            return exp.Literal.string(unescaped(word.text, escape, word.at))
        if word.kind == "string":
            return exp.Literal.string(word.text)
        if word.kind == "binary":
            return exp.HexString(this=word.text)
        node = exp.Literal.number(str(int(word.text, 0)) if word.kind == "integer" else word.text)
        node.meta["kind"] = word.kind
        return node

    def _marked(self) -> exp.Expr:
        if self.sees("?"):
            node = exp.Placeholder()
            node.meta["start"] = self.step().start
            return node
        if not self.sees("("):
            self.refuse("<expression>")
        self.step()
        if self._starts_query():
            query = self.query()
            if self.take(")"):
                return exp.Subquery(this=query)
            self.refuse("')'")
        if self.sees(")"):
            self.step()
            return self._lambda([])
        items = self.expressions()
        self.expect(")")
        if self.sees("->"):
            if not all(isinstance(item, exp.Column) and not item.table for item in items):
                self.refuse()
            return self._lambda([item.this for item in items])
        return exp.Paren(this=items[0]) if len(items) == 1 else exp.Tuple(expressions=items)

    def _lambda(self, parameters: list[exp.Expr]) -> exp.Expr:
        self.expect("->")
        return exp.Lambda(this=self.expression(), expressions=parameters)

    def _niladic(self, text: str) -> exp.Expr:
        self.step()
        if self.sees("(") and text in ("current_timestamp", "localtimestamp", "current_time", "localtime"):
            self.step()
            precision = self.integer()
            self.expect(")")
            if precision != 3:
                raise not_supported(f"{text} of another precision than milliseconds")
        return Call(this=text, expressions=[])

    def _typed(self) -> exp.Expr | None:
        """`type 'text'`, where that is what stands here."""
        start = self.index
        name = self.word.text.lower()
        if self.ahead().kind == "string" or self.sees("double", "precision"):
            kind = self.type_or_none()
            if kind is not None and self.word.kind == "string":
                text = exp.Literal.string(self.string())
                if name == "char":
                    kind.meta["kind"] = char(max(len(text.name), 1))
                return TypedLiteral(this=text, kind=kind)
        self.index = start
        return None

    def _name_or_call(self) -> exp.Expr:
        if self.ahead().text == "(" and self.ahead().kind == "sign" and self.is_name():
            return self._call()
        parts = [self.identifier()]
        while len(parts) < 4 and self.sees(".") and self.is_name(1):
            self.step()
            parts.append(self.identifier())
        if self.sees(".", "*"):
            self.refuse("<identifier>")
        return column(parts)

    def _call(self, name: str = "") -> exp.Expr:
        place = self.word.at
        name = name or self.identifier().name.lower()
        self.expect("(")
        call = placed(Call(this=name), place)
        if self.take("*"):
            call.set("star", True)
        elif not self.sees(")"):
            call.set("distinct", self.take("distinct"))
            if not call.args["distinct"]:
                self.take("all")
            call.set("expressions", self.expressions())
            if self.take("order", "by"):
                call.set("order", exp.Order(expressions=self.sort_items()))
        self.expect(")")
        return self._modified(call)

    def _modified(self, call: Call) -> exp.Expr:
        if self.take("filter"):
            self.expect("(", "where")
            call.set("filter", self.expression())
            self.expect(")")
        for nulls in ("ignore", "respect"):
            if self.sees(nulls, "nulls"):
                self.expect(nulls, "nulls")
                call.set("nulls", nulls)
        return self.window(call) if self.sees("over") else call

    def _listagg_(self) -> exp.Expr:
        place = self.step().at
        self.expect("(")
        call = placed(Call(this="listagg"), place)
        call.set("distinct", self.take("distinct"))
        call.set("expressions", self.expressions())
        if self.sees("on", "overflow"):
            raise not_supported("listagg with ON OVERFLOW")
        self.expect(")", "within", "group", "(", "order", "by")
        call.set("order", exp.Order(expressions=self.sort_items()))
        self.expect(")")
        if self.take("filter"):
            self.expect("(", "where")
            call.set("filter", self.expression())
            self.expect(")")
        return call

    def _exists_(self) -> exp.Expr:
        self.step()
        self.expect("(")
        query = self.query()
        self.expect(")")
        return exp.Exists(this=query)

    def _case_(self) -> exp.Expr:
        self.step()
        operand = None if self.sees("when") else self.expression()
        branches = []
        while self.take("when"):
            condition = self.expression()
            self.expect("then")
            branches.append(exp.If(this=condition, true=self.expression()))
        if not branches:
            self.refuse("'WHEN'")
        default = self.expression() if self.take("else") else None
        self.expect("end")
        return exp.Case(this=operand, ifs=branches, default=default)

    def _cast_(self) -> exp.Expr:
        return self._cast(exp.Cast)

    def _try_cast_(self) -> exp.Expr | None:
        return self._cast(exp.TryCast) if self.sees("try_cast", "(") else None

    def _cast(self, kind: type[exp.Cast]) -> exp.Expr:
        self.step()
        self.expect("(")
        value = self.expression()
        self.expect("as")
        target = self.type()
        self.expect(")")
        return kind(this=value, to=target)

    def _array_(self) -> exp.Expr | None:
        if not self.sees("array", "["):
            return None
        self.expect("array", "[")
        items = [] if self.sees("]") else self.expressions()
        self.expect("]")
        return exp.Array(expressions=items)

    def _row_(self) -> exp.Expr | None:
        if not self.sees("row", "("):
            return None
        start = self.index
        self.expect("row", "(")
        items = self.expressions()
        if self.take(")") and self.word.kind != "string":
            return exp.Tuple(expressions=items)
        self.index = start
        return None

    def _interval_(self) -> exp.Expr | None:
        sign = 1 if self.ahead().text in ("+", "-") and self.ahead().kind == "sign" else 0
        if self.ahead(1 + sign).kind != "string":
            return None
        self.step()
        negative = sign == 1 and self.step().text == "-"
        text = self.string()
        unit = self._unit()
        until = self._unit() if self.take("to") else None
        node = exp.Interval(this=exp.Literal.string("-" + text if negative else text))
        node.meta["units"] = (unit, until or "")
        return node

    def _unit(self) -> str:
        if not self.sees_any(*_INTERVAL_UNITS):
            self.refuse(*(f"'{unit.upper()}'" for unit in sorted(_INTERVAL_UNITS)))
        return self.step().text.lower()

    def _position_(self) -> exp.Expr | None:
        if not self.sees("position", "("):
            return None
        self.expect("position", "(")
        part = self.value()
        self.expect("in")
        text = self.value()
        self.expect(")")
        return Call(this="strpos", expressions=[text, part])

    def _substring_(self) -> exp.Expr | None:
        start = self.index
        if not self.take("substring", "("):
            return None
        text = self.value()
        if not self.take("from"):
            self.index = start
            return None
        bounds = [text, self.value()]
        if self.take("for"):
            bounds.append(self.value())
        self.expect(")")
        return Call(this="substring", expressions=bounds)

    def _trim_(self) -> exp.Expr:
        self.step()
        self.expect("(")
        side = self.step().text.lower() if self.sees_any("leading", "trailing", "both") else ""
        name = {"leading": "ltrim", "trailing": "rtrim"}.get(side, "trim")
        if side and self.take("from"):
            arguments = [self.value()]
        else:
            first = self.value()
            if self.take("from"):
                arguments = [self.value(), first]
            elif not side and self.take(","):
                arguments = [first, self.value()]
            else:
                arguments = [first]
        self.expect(")")
        return Call(this=name, expressions=arguments)

    def _normalize_(self) -> exp.Expr:
        self.step()
        self.expect("(")
        text = self.value()
        form = "NFC"
        if self.take(","):
            if not self.sees_any("nfc", "nfd", "nfkc", "nfkd"):
                self.refuse("'NFC'", "'NFD'", "'NFKC'", "'NFKD'")
            form = self.step().text.upper()
        self.expect(")")
        return Call(this="normalize", expressions=[text, exp.Literal.string(form)])

    def _extract_(self) -> exp.Expr:
        self.step()
        self.expect("(")
        field = self.identifier()
        self.expect("from")
        value = self.value()
        self.expect(")")
        return exp.Extract(this=exp.Var(this=field.name), expression=value)

    def _grouping_(self) -> exp.Expr:
        self.step()
        self.expect("(")
        arguments = self.expressions()
        self.expect(")")
        return Call(this="grouping", expressions=arguments)

    def _starts_query(self) -> bool:
        distance = 0
        while self.ahead(distance).kind == "sign" and self.ahead(distance).text == "(":
            distance += 1
        word = self.ahead(distance)
        if word.kind != "word" or word.text.lower() not in ("select", "with", "values", "table"):
            return False
        return distance == 0 or self._parses_as_query()

    def _parses_as_query(self) -> bool:
        """Whether parentheses that begin with a query are one as a whole: `(select 1) + 1` is not."""
        depth = 0
        for distance in range(len(self.stream) - self.index):
            word = self.ahead(distance)
            if word.kind == "sign" and word.text in "()":
                depth += 1 if word.text == "(" else -1
                if depth < 0:
                    return True
                if depth == 0 and word.text == ")":
                    following = self.ahead(distance + 1)
                    ends = following.kind == "sign" and following.text == ")"
                    joins = following.kind == "word" and following.text.lower() in (
                        "union", "intersect", "except", "order", "limit", "offset", "fetch",
                    )  # fmt: skip
                    return joins or ends
        return False


def column(parts: list[exp.Identifier]) -> exp.Column:
    """A name of one to four parts."""
    names = ("this", "table", "db", "catalog")
    node = exp.Column(**dict(zip(names, reversed(parts), strict=False)))
    return placed(node, parts[0].meta.get("at", (1, 1)))


def _dereferenced(node: exp.Expr, field: exp.Identifier) -> exp.Expr:
    return exp.Dot(this=node, expression=field)


__all__ = ["ExpressionParser", "Reading", "column"]
