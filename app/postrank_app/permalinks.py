"""Permalinks: what a page shows is in its address, and the address decides what it shows.

Widgets are filled from the address when their page is entered; each choice is written back into it.
"""

from collections.abc import Callable, Sequence
from typing import TypeVar

import streamlit as st

T = TypeVar("T")
_PAGE = "_page"


def enter(page: str) -> None:
    """Forget the choices of the page that was shown before: they are not in this one's address."""
    if st.session_state.get(_PAGE) != page:
        for key in [key for key in st.session_state if isinstance(key, str) and key.startswith("link_")]:
            del st.session_state[key]
        st.session_state[_PAGE] = page


def select(
    label: str, name: str, options: Sequence[str], *, shown: Callable[[str], str] = str, help_text: str | None = None
) -> str:
    """A select box whose choice is the address's `name`; the first option where the address has none of them."""
    key = f"link_{name}"
    if st.session_state.get(key) not in options:
        asked = st.query_params.get(name)
        st.session_state[key] = asked if asked in options else options[0]
    choice: str = st.selectbox(label, options, key=key, format_func=shown, help=help_text)
    _write(name, choice, options[0])
    return choice


def text(label: str, name: str, placeholder: str) -> str:
    """A text field whose content is the address's `name`."""
    key = f"link_{name}"
    if key not in st.session_state:
        st.session_state[key] = st.query_params.get(name, "")
    typed: str = st.text_input(label, key=key, placeholder=placeholder).strip()
    _write(name, typed, "")
    return typed


def number(label: str, name: str, highest: int) -> int:
    """A number from 1 to `highest` that is the address's `name`."""
    key = f"link_{name}"
    if key not in st.session_state:
        asked = st.query_params.get(name, "1")
        st.session_state[key] = int(asked) if asked.isdecimal() else 1
    st.session_state[key] = min(max(st.session_state[key], 1), highest)
    chosen = int(st.number_input(label, min_value=1, max_value=highest, step=1, key=key))
    _write(name, str(chosen), "1")
    return chosen


def _write(name: str, value: str, usual: str) -> None:
    if value != usual:
        st.query_params[name] = value
    elif name in st.query_params:
        del st.query_params[name]
