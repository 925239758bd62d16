"""A position among the tokens of a statement, and the errors of what does not fit there."""

from typing import NoReturn, TypeVar

from sqlglot import exp

from localaws.services.athena.sql.failures import SyntaxRefused
from localaws.services.athena.sql.grammar.lexer import RESERVED, Word, words

Node = TypeVar("Node", bound=exp.Expr)


def position(node: exp.Expr) -> tuple[int, int]:
    """Line and column of a node (1:1 where it was built, not read)."""
    place = node.meta.get("at")
    return place if isinstance(place, tuple) else (1, 1)


def placed(node: Node, place: tuple[int, int]) -> Node:
    node.meta["at"] = place
    return node


class Reading:
    """Steps over tokens. Words are compared in lower case; a quoted name is never a keyword."""

    def __init__(self, sql: str, start: int = 0) -> None:
        self.sql = sql
        self.stream = words(sql, start)
        self.index = 0

    @property
    def word(self) -> Word:
        return self.stream[self.index]

    def ahead(self, distance: int = 1) -> Word:
        return self.stream[min(self.index + distance, len(self.stream) - 1)]

    def step(self) -> Word:
        current = self.word
        if current.kind != "end":
            self.index += 1
        return current

    def sees(self, *texts: str) -> bool:
        """Whether these keywords or signs come next."""
        return all(_is(self.ahead(number), text) for number, text in enumerate(texts))

    def sees_any(self, *texts: str) -> bool:
        return any(self.sees(text) for text in texts)

    def take(self, *texts: str) -> bool:
        if not self.sees(*texts):
            return False
        self.index += len(texts)
        return True

    def expect(self, *texts: str) -> Word:
        """Step over keywords or signs; the last one."""
        for text in texts:
            if not self.sees(text):
                self.refuse(f"'{text.upper()}'")
            self.step()
        return self.stream[self.index - 1]

    def refuse(self, *expected: str) -> NoReturn:
        current = self.word
        shown = current.text if current.kind in ("sign", "word", "end") else self.sql[current.start : current.end]
        hint = f". Expecting: {', '.join(expected)}" if expected else ""
        near = shown if current.kind == "end" else f"'{shown}'"
        raise SyntaxRefused(*current.at, f"mismatched input {near}{hint}")

    def is_name(self, distance: int = 0) -> bool:
        current = self.ahead(distance)
        return current.kind == "quoted" or (current.kind == "word" and current.text.lower() not in RESERVED)

    def identifier(self) -> exp.Identifier:
        if not self.is_name():
            self.refuse("<identifier>")
        current = self.step()
        node = exp.to_identifier(current.text, quoted=current.kind == "quoted")
        return placed(node, current.at)

    def integer(self) -> int:
        if self.word.kind != "integer":
            self.refuse("<integer>")
        return int(self.step().text, 0)

    def string(self) -> str:
        if self.word.kind != "string":
            self.refuse("<string>")
        return self.step().text


def _is(word: Word, text: str) -> bool:
    if word.kind == "sign":
        return word.text == text
    return word.kind == "word" and word.text.lower() == text
