"""The exported runs, newest first, a page at a time."""

import re
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

from postrank.documents import Document
from postrank.ranking.export_reader import Exports as Reader
from postrank.ranking.export_reader import NothingExported
from postrank.report.api import rankings
from postrank.report.exports import Export, Exports

MOST = 100  # runs on a page: each needs its manifest
_READERS = 8
_TIME = re.compile(r"\d{4}-\d{2}-\d{2}T\d{2}-\d{2}-\d{2}")


def runs(exports: Exports, reader: Reader, limit: int, before: str | None = None) -> Document:
    """At most `limit` runs, each as `rankings.run` describes it; `next` is the `before` of the page after it.

    Names hold the time for which Airflow started the run; those without any come first. Within a page the newest
    export is the first.
    """
    names = sorted(reader.runs(), key=_order, reverse=True)
    rest = [name for name in names if before is None or _order(name) < _order(before)]
    page = rest[:limit]
    documents = [document for document in _documents(exports, page) if document]
    documents.sort(key=lambda document: str(document["exported_at"]), reverse=True)
    return {"runs": documents, "next": page[-1] if len(rest) > limit else None, "latest": latest(reader)}


def latest(reader: Reader) -> str | None:
    """The run that `rankings/latest.json` points at."""
    try:
        return str(reader.latest()["run"])
    except NothingExported:
        return None


def _documents(exports: Exports, names: Sequence[str]) -> list[Document | None]:
    with ThreadPoolExecutor(_READERS) as readers:
        return list(readers.map(lambda name: _document(exports, name), names))


def _document(exports: Exports, name: str) -> Document | None:
    """A run; None while its manifest is not written."""
    try:
        return rankings.run(Export(exports.results.manifest(name)))
    except NothingExported:
        return None


def _order(name: str) -> tuple[str, str]:
    match = _TIME.search(name)
    return (match.group() if match else "9999", name)
