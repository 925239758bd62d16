"""CSV cells that no spreadsheet takes for a formula, and back.

A spreadsheet evaluates a cell that starts with `= + - @`, a tab or a line end ("CSV Injection", OWASP). What people
write about themselves is text: such a cell gets an apostrophe in front, and so does one that starts with an apostrophe
already. Removing one leading apostrophe from every text cell that has one gives the exact text again.
"""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pyarrow as pa

_STARTS = "=+-@\t\r\n'"
_PATTERN = r"\A[=+\-@\t\r\n']"


def neutral(text: str) -> str:
    """The cell for a text."""
    return f"'{text}" if text.startswith(tuple(_STARTS)) else text


def exact(cell: str) -> str:
    """The text of a cell."""
    return cell.removeprefix("'")


def neutral_columns(rows: "pa.Table") -> "pa.Table":
    """A table whose text columns hold cells for their texts."""
    import pyarrow as pa  # of the extra `export`
    import pyarrow.compute as pc

    for index, column in enumerate(rows.schema):
        if pa.types.is_string(column.type):
            texts = rows[column.name]
            marked = pc.binary_join_element_wise("'", texts, "")
            cells = pc.if_else(pc.match_substring_regex(texts, _PATTERN), marked, texts)
            rows = rows.set_column(index, column.name, cells)
    return rows
