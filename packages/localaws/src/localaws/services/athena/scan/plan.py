"""A query as the engine runs it."""

from dataclasses import dataclass

from localaws.services.athena.sql.trino.types import Type


@dataclass(frozen=True, slots=True)
class Plan:
    """The engine's text, and the name and type of each column of the result."""

    sql: str
    columns: list[tuple[str, Type]]

    @property
    def names(self) -> list[str]:
        return [name for name, _ in self.columns]

    @property
    def types(self) -> list[Type]:
        return [kind for _, kind in self.columns]
