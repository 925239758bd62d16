"""Downloads of what a page shows: CSV that is safe in spreadsheets, and exact Parquet."""

import io

import pandas as pd
import streamlit as st

from postrank.spreadsheet import neutral


def offer(table: pd.DataFrame, name: str) -> None:
    """Two buttons that download a table as files named `name`."""
    as_csv, as_parquet, _ = st.columns([1, 1, 4])
    as_csv.download_button(
        "CSV", lambda: _csv(table), f"{name}.csv", "text/csv", key=f"csv-{name}", icon=":material/download:",
        on_click="ignore", width="stretch",
    )  # fmt: skip
    as_parquet.download_button(
        "Parquet", lambda: _parquet(table), f"{name}.parquet", "application/vnd.apache.parquet", key=f"parquet-{name}",
        icon=":material/download:", on_click="ignore", width="stretch",
    )  # fmt: skip


def _csv(table: pd.DataFrame) -> bytes:
    texts = table.apply(lambda column: column.map(lambda value: neutral(value) if isinstance(value, str) else value))
    text: str = texts.to_csv(index=False)
    return text.encode()


def _parquet(table: pd.DataFrame) -> bytes:
    out = io.BytesIO()
    table.to_parquet(out, index=False)
    return out.getvalue()
