"""Which folders are tables, and which are partitions of one.

"How does a crawler determine when to create partitions?" and "Creating a single schema for each Amazon S3 include
path" (Glue developer guide): folders on one level whose files are of one form, with most of their columns in common,
are the partitions of the table that is the folder above them.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from localaws.services.glue.schema.classifiers import Schema

_SIMILAR = 0.7  # share of columns that two folders' files have in common
Folder = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Table:
    """A table at a folder; `leaves` are the folders below it (relative, all equally deep) with their schemas."""

    root: Folder
    leaves: Mapping[Folder, Schema]

    @property
    def schema(self) -> Schema:
        first, *others = self.leaves.values()
        for other in others:
            first = first.merged(other)
        return first

    @property
    def keys(self) -> list[str]:
        """Partition keys: the names in `name=value` folders, else partition_0, partition_1, ..."""
        keys = []
        for level in range(len(next(iter(self.leaves)))):
            names = {leaf[level].partition("=")[0].lower() if "=" in leaf[level] else "" for leaf in self.leaves}
            name = names.pop()
            keys.append(name if name and not names else f"partition_{level}")
        return keys


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """`combine`: fold together whatever is of one form. `level`: no table lies higher (the bucket is level 1);
    `above` is the level of the include path.
    """

    combine: bool = False
    level: int = 0
    above: int = 1


def tables(folders: Mapping[Folder, Schema], rules: Rules) -> list[Table]:
    """The tables of the folders that hold files."""
    return _below((), folders, rules)


def _below(root: Folder, folders: Mapping[Folder, Schema], rules: Rules) -> list[Table]:
    own = {leaf: schema for leaf, schema in folders.items() if leaf == root}
    tables = [Table(root, {(): schema}) for schema in own.values()]
    children = sorted({leaf[len(root)] for leaf in folders if len(leaf) > len(root)})
    below = [
        _below(
            (*root, child),
            {leaf: schema for leaf, schema in folders.items() if leaf[: len(root) + 1] == (*root, child)},
            rules,
        )
        for child in children
    ]
    if children and not own and _is_one_table(root, below, rules):
        leaves = {(table.root[-1], *leaf): schema for (table,) in below for leaf, schema in table.leaves.items()}
        return [Table(root, leaves)]
    return tables + [table for group in below for table in group]


def _is_one_table(root: Folder, below: list[list[Table]], rules: Rules) -> bool:
    if len(root) + rules.above < rules.level or any(len(group) != 1 for group in below):
        return False
    first, *others = [group[0] for group in below]
    depth = len(next(iter(first.leaves)))
    share = 0.0 if rules.combine or rules.level else _SIMILAR
    return all(len(next(iter(other.leaves))) == depth and first.schema.like(other.schema, share) for other in others)
