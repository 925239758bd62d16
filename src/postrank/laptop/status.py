"""What a person sees while a run works: one live table on a terminal, plain lines elsewhere."""

import os
import time
from collections.abc import Callable, Mapping
from types import TracebackType

from rich.console import Console, Group
from rich.live import Live
from rich.spinner import Spinner
from rich.table import Table
from rich.text import Text

WAITING = "waiting"
WORKING = "working"
DONE = "done"
FAILED = "failed"
_PLAIN_SECONDS = 30.0  # between plain lines about a step that is at work
_ASCII = {WAITING: "-", WORKING: "..", DONE: "ok", FAILED: "FAILED"}
_MARK = {WAITING: ("·", "dim"), WORKING: ("…", "yellow"), DONE: ("✓", "green"), FAILED: ("✗", "red")}


class Status:
    """The steps of a run, each with a state and a detail. A context manager: the live table lasts as long as it
    does.
    """

    def __init__(self, console: Console, steps: Mapping[str, str], usual: Callable[[str], str] = lambda _: "") -> None:
        """`steps`: what each step is called, to what it does, in their order; `usual`: how long one usually takes, as a
        phrase, empty where that is not known.
        """
        self._console = console
        self._is_live = is_live(console)
        self._usual = {step: usual(step) for step in steps}
        self._printed: dict[str, tuple[float, str]] = {}  # when the last plain line about a step was, and its detail
        self._what = dict(steps)
        self._state = dict.fromkeys(steps, WAITING)
        self._detail = dict.fromkeys(steps, "")
        self._began: dict[str, float] = {}
        self._seconds_of: dict[str, float] = {}
        self._live = Live(get_renderable=self._table, console=console, refresh_per_second=8, transient=False)
        self._spinner = Spinner("dots")

    def __enter__(self) -> "Status":
        if self._is_live:
            self._live.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if kind is not None:
            for step in [name for name, state in self._state.items() if state == WORKING]:
                self._set(step, FAILED)
        if self._is_live:
            self._live.stop()

    def begin(self, step: str, detail: str = "") -> None:
        self._began[step] = time.monotonic()
        self._set(step, WORKING, detail)

    def say(self, step: str, detail: str) -> None:
        """Change what a working step shows; a plain line about it is printed every _PLAIN_SECONDS at most."""
        self._detail[step] = detail
        if self._is_live or step not in self._began:
            return
        now = time.monotonic()
        at, last = self._printed.get(step, (self._began[step], ""))
        if detail != last and now - at >= _PLAIN_SECONDS:
            self._printed[step] = (now, detail)
            self._print(WORKING, step, f"{detail} ({now - self._began[step]:.0f} s so far)")

    def done(self, step: str, detail: str = "") -> None:
        self._seconds_of[step] = time.monotonic() - self._began.get(step, time.monotonic())
        self._set(step, DONE, detail or self._detail[step])

    @property
    def seconds(self) -> dict[str, float]:
        """How long each finished step took."""
        return dict(self._seconds_of)

    def _set(self, step: str, state: str, detail: str = "") -> None:
        self._state[step] = state
        if detail:
            self._detail[step] = detail
        if not self._is_live:
            note = f"{self._seconds_of[step]:.1f} s" if state == DONE else self._usual[step] if state == WORKING else ""
            self._print(state, step, (self._detail[step] or self._what[step]) + (f" ({note})" if note else ""))

    def _print(self, state: str, step: str, text: str) -> None:
        mark = _ASCII[state] if self._console.options.ascii_only else _MARK[state][0]
        self._console.print(f"{mark} {step}: {text}", highlight=False, soft_wrap=True, markup=False)

    def _table(self) -> Group:
        table = Table(box=None, show_header=False, pad_edge=False)
        for step, state in self._state.items():
            mark, style = _MARK[state]
            seconds = self._seconds_of.get(step)
            if state == WORKING:
                seconds = time.monotonic() - self._began[step]
            table.add_row(
                self._spinner if state == WORKING else Text(mark, style=style),
                Text(step, style="dim" if state == WAITING else "bold"),
                Text(self._detail[step] or self._what[step], style="dim" if state == WAITING else ""),
                Text(self._time(step, seconds), style="dim"),
            )
        return Group(table)

    def _time(self, step: str, seconds: float | None) -> str:
        elapsed = "" if seconds is None else f"{seconds:.0f} s"
        if self._state[step] in (DONE, FAILED) or not self._usual[step]:
            return elapsed
        return f"{elapsed}, {self._usual[step]}" if elapsed else self._usual[step]


def is_live(console: Console) -> bool:
    """Whether the console can show a table that changes: a terminal that is neither dumb nor a CI log, and whose user
    did not ask for plain output (https://no-color.org).
    """
    return console.is_terminal and not (console.is_dumb_terminal or console.no_color or os.environ.get("CI"))
