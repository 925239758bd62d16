"""What a page says when it has nothing to show: not configured, away, behind, empty, stale."""

import logging
import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import streamlit as st

from postrank.errors import Fatal, Retryable

log = logging.getLogger(__name__)


def explained(show: Callable[[], None]) -> Callable[[], None]:
    """A page whose expected errors are explained on it."""

    def page() -> None:
        try:
            show()
        except Retryable as error:
            log.warning("%s: %s (%s)", show.__module__, error, error.__cause__)
            st.error(
                f"{_sentence(error)} Your choices are in the address: reload the page in a while.",
                icon=":material/cloud_off:",
            )
        except Fatal as error:
            log.error("%s: %s (%s)", show.__module__, error, error.__cause__)
            st.error(f"{_sentence(error)} Whoever runs this app can change that.", icon=":material/settings:")

    page.__name__ = show.__module__.rpartition(".")[2]  # Streamlit names a page's default address after its function
    return page


def empty(what: str, cause: str) -> None:
    """Explain an empty page."""
    st.info(f"{what} {cause}", icon=":material/inbox:")


def freshness(what: str, moment: datetime, limit: timedelta, remedy: str) -> None:
    """Say how old something is, and warn when that is older than it should be."""
    age = datetime.now(UTC) - moment
    sentence = f"{what} {ago(age)} ({moment:%Y-%m-%d %H:%M:%S} UTC)."
    if age > limit:
        st.warning(f"{sentence} {remedy}", icon=":material/schedule:")
    else:
        st.caption(sentence)


def ago(age: timedelta) -> str:
    """A length of time in the largest unit that fits."""
    seconds = max(0, round(age.total_seconds()))
    for unit, length in (("day", 86_400), ("hour", 3_600), ("minute", 60)):
        if seconds >= length:
            number = seconds // length
            return f"{number} {unit}{'s' if number > 1 else ''} ago"
    return f"{seconds} s ago"


def plain(text: str) -> str:
    """Text that Streamlit's Markdown shows as it is: what people write of themselves is no markup and no picture."""
    return re.sub(r"([!-/:-@\[-`{-~])", r"\\\1", " ".join(text.split()))


def _sentence(error: Exception) -> str:
    message = plain(str(error))
    return f"{message[:1].upper()}{message[1:]}."
