"""Write the README of each Terraform module, and the tables of the root's, from what the modules declare.

    python scripts/terraform_docs.py          write them
    python scripts/terraform_docs.py --check  only say which are out of date; status 1 if any is

Reads the form that `terraform fmt` gives: a block begins in the first column, and its arguments two further in.
"""

import re
import sys
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1] / "terraform"
_BLOCK = re.compile(r'^(variable|output) "(\w+)" \{\n(.*?)^\}', re.M | re.S)
_ARGUMENT = re.compile(r"^  (\w+) += (.*(?:\n(?:    .*|  [\]})].*))*)", re.M)
_RESOURCE = re.compile(r'^resource "(\w+)"', re.M)
_TABLES = re.compile(r"(<!-- declared -->\n).*(<!-- /declared -->\n)", re.S)


@dataclass(frozen=True, slots=True)
class Declared:
    """A variable or an output."""

    name: str
    arguments: dict[str, str]

    @property
    def description(self) -> str:
        return self.arguments.get("description", "").strip('"').replace("|", "\\|")

    @property
    def default(self) -> str:
        return _code(self.arguments["default"]) if "default" in self.arguments else "required"


def declared(folder: Path, kind: str) -> list[Declared]:
    """What a module declares in any of its files, by name."""
    found = [match for path in sorted(folder.glob("*.tf")) for match in _BLOCK.finditer(path.read_text("utf-8"))]
    blocks = {
        name: dict(_ARGUMENT.findall(body)) for of_kind, name, body in (m.groups() for m in found) if of_kind == kind
    }
    return [Declared(name, arguments) for name, arguments in sorted(blocks.items())]


def tables(folder: Path) -> str:
    """Markdown tables of a module's inputs and outputs."""
    lines = ["## Inputs", "", "| Name | Description | Type | Default |", "|---|---|---|---|"]
    lines += [
        f"| `{one.name}` | {one.description} | {_code(one.arguments['type'])} | {one.default} |"
        for one in declared(folder, "variable")
    ]
    if outputs := declared(folder, "output"):
        lines += ["", "## Outputs", "", "| Name | Description |", "|---|---|"]
        lines += [f"| `{one.name}` | {one.description} |" for one in outputs]
    return "\n".join(lines) + "\n"


def readme(module: Path) -> str:
    """A module's README: what main.tf says of itself first, what it makes, what goes in and comes out."""
    main = (module / "main.tf").read_text("utf-8")
    about = " ".join(line.removeprefix("#").strip() for line in main.split("\n\n")[0].splitlines())
    sources = "".join(path.read_text("utf-8") for path in sorted(module.glob("*.tf")))
    makes = ", ".join(f"`{kind}`" for kind in sorted(set(_RESOURCE.findall(sources))))
    return f"# {module.name}\n\n{about}\n\nCreates {makes}.\n\n{tables(module)}"


def documents() -> dict[Path, str]:
    """Every README that is written here, with what it ought to say."""
    modules = [*sorted((ROOT / "modules").iterdir()), ROOT / "bootstrap"]
    written = {module / "README.md": readme(module) for module in modules}
    root = ROOT / "README.md"
    written[root] = _TABLES.sub(lambda found: found[1] + tables(ROOT) + found[2], root.read_text("utf-8"))
    return written


def _code(text: str) -> str:
    """A value on one line, as code."""
    attributes = re.sub(r"(?<=[^\[{(,])\n(?!\s*[\]})])", ", ", text)
    line = re.sub(r"(?<=[\[{(]) +| +(?=[\]})])", "", " ".join(attributes.split()))
    return f"`{line}`".replace("|", "\\|")


def main(check: bool) -> int:
    stale = {path: text for path, text in documents().items() if not path.exists() or path.read_text("utf-8") != text}
    for path, text in stale.items():
        if check:
            print(f"{path.relative_to(ROOT.parent)} is out of date: python scripts/terraform_docs.py writes it")
        else:
            path.write_text(text, "utf-8")
    return int(check and bool(stale))


if __name__ == "__main__":
    sys.exit(main("--check" in sys.argv[1:]))
