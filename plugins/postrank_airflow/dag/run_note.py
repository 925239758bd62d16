"""The note of a run: tasks add sentences to it, and the listener in `ui/note_listener.py` writes it when the run ends.

The Task SDK cannot set the note of a run, and a worker has neither Airflow's database nor a token of its API. Therefore
a sentence travels as an XCom, like every other fact of a task: a repeated task replaces its sentence.
"""

import functools
from collections.abc import Callable
from typing import ParamSpec, TypeVar

from airflow.sdk import get_current_context
from airflow.sdk.exceptions import AirflowFailException, AirflowSkipException

from postrank.errors import Fatal, Retryable

P = ParamSpec("P")
R = TypeVar("R")

KEY = "postrank_note"  # of the XCom that holds a task's sentence
TAG = "postrank"  # of the DAGs whose runs have notes


def add_to_note(sentence: str) -> None:
    """Put a sentence into the note of the current task's run; a second one of the same task replaces the first."""
    get_current_context()["ti"].xcom_push(key=KEY, value=sentence)


def counted(number: int, noun: str) -> str:
    """`1 hour`, `12,048 posts`."""
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"


def note_count(number: int, noun: str, what: str) -> str:
    """The sentence `3 objects deleted`; it is put into the note unless it counts nothing."""
    sentence = f"{counted(number, noun)} {what}"
    if number:
        add_to_note(sentence)
    return sentence


def reason_in_note(function: Callable[P, R]) -> Callable[P, R]:
    """Have the note say why a task was skipped or failed, in the words of its exception."""

    @functools.wraps(function)
    def explained(*args: P.args, **kwargs: P.kwargs) -> R:
        try:
            return function(*args, **kwargs)
        except (AirflowSkipException, AirflowFailException, Fatal, Retryable) as error:
            add_to_note(str(error))
            raise

    return explained


def result_in_note(function: Callable[P, str]) -> Callable[P, str]:
    """Have the note repeat the sentence that a task returns, or why it was skipped or failed."""

    @functools.wraps(function)
    def noted(*args: P.args, **kwargs: P.kwargs) -> str:
        sentence = function(*args, **kwargs)
        add_to_note(sentence)
        return sentence

    return reason_in_note(noted)
