"""Reading of the small statements, token by token."""

from sqlglot.tokenizer_core import Token, TokenType

from localaws.services.athena.sql.grammar.dialect import SyntaxRefused, is_hive, string_value


class Reader:
    """A position among a statement's tokens. Words are compared without case."""

    def __init__(self, sql: str, tokens: list[Token]) -> None:
        self._sql = sql
        self._tokens = tokens
        self._at = 0

    @property
    def start(self) -> int:
        """Where in the text the next token begins."""
        return self._tokens[self._at].start if self._at < len(self._tokens) else len(self._sql)

    def peek(self) -> str:
        return self._tokens[self._at].text.upper() if self._at < len(self._tokens) else ""

    def take(self, *words: str) -> bool:
        """Step over the words if they come next."""
        ahead = self._tokens[self._at : self._at + len(words)]
        if [token.text.upper() for token in ahead] != list(words):
            return False
        self._at += len(words)
        return True

    def expect(self, *words: str) -> None:
        if not self.take(*words):
            self.refuse()

    def name(self) -> list[str]:
        """A name of parts joined by dots, as written (quotes removed)."""
        parts = [self.next().text]
        while self._at < len(self._tokens) and self._tokens[self._at].token_type == TokenType.DOT:
            self._at += 1
            parts.append(self.next().text)
        return parts

    def text(self) -> str:
        """A string literal's value."""
        token = self.next()
        if token.token_type != TokenType.STRING:
            self._at -= 1
            self.refuse()
        return self._string(token)

    def value(self) -> str:
        """The text of a string or number."""
        token = self.next()
        if token.token_type not in (TokenType.STRING, TokenType.NUMBER):
            self._at -= 1
            self.refuse()
        return self._string(token) if token.token_type == TokenType.STRING else token.text

    def _string(self, token: Token) -> str:
        return string_value(self._sql[token.start : token.end + 1]) if is_hive(self._sql) else token.text

    def pairs(self) -> dict[str, str]:
        """('name' = 'value', ...), names may be bare."""
        pairs = {}
        self.expect("(")
        while True:
            name = self.next().text
            self.expect("=")
            pairs[name] = self.value()
            if self.take(")"):
                return pairs
            self.expect(",")

    def rest(self) -> list[Token]:
        """All tokens that are left."""
        left = self._tokens[self._at :]
        self._at = len(self._tokens)
        return left

    def at_end(self) -> bool:
        return self._at >= len(self._tokens)

    def end(self) -> None:
        if not self.at_end():
            self.refuse()

    def refuse(self) -> None:
        """Raise SyntaxRefused for the next token."""
        if self._at >= len(self._tokens):
            raise SyntaxRefused(1, len(self._sql) + 1, "mismatched input '<EOF>'")
        token = self._tokens[self._at]
        raise SyntaxRefused(token.line, max(token.col - len(token.text), 0) + 1, f"mismatched input '{token.text}'")

    def next(self) -> Token:
        """The next token, stepped over."""
        if self._at >= len(self._tokens):
            self.refuse()
        self._at += 1
        return self._tokens[self._at - 1]
