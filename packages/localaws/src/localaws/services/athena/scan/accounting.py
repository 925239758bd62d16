"""DataScannedInBytes: what a plan reads of the objects, before it runs.

Text is read whole; of Parquet, the column chunks of the columns that the plan projects or filters by.
"""

import json
import re
from collections import defaultdict
from collections.abc import Iterator, Sequence
from typing import Any

from localaws.core.shapes import Document
from localaws.services.athena.scan.formats import quoted
from localaws.services.athena.scan.table_scan import Scan

_COLUMN = re.compile(r"^(\d+)\.(.+)$")


def scanned_bytes(cursor: Any, sql: str, scans: Sequence[Scan]) -> int:
    """Bytes that the query's plan reads."""
    total = sum(item.size for scan in scans if not scan.is_parquet for item, _, _ in scan.objects)
    parquet = [scan for scan in scans if scan.is_parquet and scan.objects]
    if not parquet:
        return total
    plan = json.loads(cursor.execute(f"explain (format json) {sql}").fetchall()[-1][1])
    columns_by_file: dict[int, set[str]] = defaultdict(set)
    for node in _nodes(plan):
        for text in _projections(node):
            match = _COLUMN.match(text)
            if match:
                columns_by_file[int(match.group(1))].add(match.group(2).lower())
    for scan in parquet:
        if columns_by_file[scan.number]:
            total += _chunks(cursor, scan, columns_by_file[scan.number])
    return total


def _chunks(cursor: Any, scan: Scan, columns: set[str]) -> int:
    files = ", ".join(quoted(str(item.path)) for item, _, _ in scan.objects)
    names = ", ".join(quoted(name) for name in sorted(columns))
    (size,) = cursor.execute(
        f"select coalesce(sum(total_compressed_size), 0)::BIGINT from parquet_metadata([{files}])"  # noqa: S608
        f" where lower(split_part(path_in_schema, ', ', 1)) in ({names})"
    ).fetchone()
    return int(size)


def _nodes(plan: Any) -> Iterator[Document]:
    for node in plan if isinstance(plan, list) else [plan]:
        yield node
        yield from _nodes(node.get("children") or [])


def _projections(node: Document) -> list[str]:
    if "PARQUET" not in str(node.get("name")):
        return []
    projections: list[str] = []
    info = node.get("extra_info") or {}
    for field in ("Projections", "Filters"):
        value = info.get(field) or []
        texts = [value] if isinstance(value, str) else [str(part) for part in value]
        projections += (
            texts if field == "Projections" else [name for text in texts for name in re.findall(r"\d+\.[\w$]+", text)]
        )
    return projections
