"""HTML and SVG elements as text in which everything foreign is escaped."""

from html import escape


class Markup(str):
    """Text that is markup already, and is not escaped again."""

    __slots__ = ()


def tag(name: str, /, *children: "str | Markup", **attributes: object) -> Markup:
    """An element. Children are escaped unless they are Markup; of attributes, `class_` is `class`, `a_b` is `a-b`."""
    words = "".join(
        f' {key.rstrip("_").replace("_", "-")}="{escape(str(value))}"'
        for key, value in attributes.items()
        if value is not None
    )
    return Markup(f"<{name}{words}>{joined(*children)}</{name}>")


def joined(*children: "str | Markup") -> Markup:
    """Children one after the other, escaped unless they are Markup."""
    return Markup("".join(child if isinstance(child, Markup) else escape(child, quote=False) for child in children))


def table(heads: "list[str]", rows: "list[list[str | Markup]]", numbers: "frozenset[int]" = frozenset()) -> Markup:
    """A table with a head; the columns at `numbers` are set right."""
    kind = ["number" if at in numbers else None for at in range(len(heads))]
    head = tag("tr", *(tag("th", text, scope="col", class_=kind[at]) for at, text in enumerate(heads)))
    body = (tag("tr", *(tag("td", cell, class_=kind[at]) for at, cell in enumerate(row))) for row in rows)
    return tag("div", tag("table", tag("thead", head), tag("tbody", *body)), class_="scroll", tabindex=0)


def wide(picture: Markup) -> Markup:
    """A picture that keeps its size on a narrow screen, and scrolls there."""
    return tag("div", picture, class_="scroll", tabindex=0)
