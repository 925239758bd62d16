"""What a person sees while a run works: one live table on a terminal, one line per change elsewhere."""

import time
from collections.abc import Mapping
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
_MARK = {WAITING: ("·", "dim"), WORKING: ("…", "yellow"), DONE: ("✓", "green"), FAILED: ("✗", "red")}


class Status:
    """The steps of a run, each with a state and a detail. A context manager: the live table lasts as long as it
    does.
    """

    def __init__(self, console: Console, steps: Mapping[str, str]) -> None:
        """`steps`: what each step is called, to what it does, in their order."""
        self._console = console
        self._what = dict(steps)
        self._state = dict.fromkeys(steps, WAITING)
        self._detail = dict.fromkeys(steps, "")
        self._began: dict[str, float] = {}
        self._seconds_of: dict[str, float] = {}
        self._live = Live(get_renderable=self._table, console=console, refresh_per_second=8, transient=False)
        self._spinner = Spinner("dots")

    def __enter__(self) -> "Status":
        if self._console.is_terminal:
            self._live.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if kind is not None:
            for step in [name for name, state in self._state.items() if state == WORKING]:
                self._set(step, FAILED)
        if self._console.is_terminal:
            self._live.stop()

    def begin(self, step: str, detail: str = "") -> None:
        self._began[step] = time.monotonic()
        self._set(step, WORKING, detail)

    def say(self, step: str, detail: str) -> None:
        """Change what a working step shows; elsewhere than on a terminal nothing is printed for it."""
        self._detail[step] = detail

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
        if not self._console.is_terminal:
            seconds = f" ({self._seconds_of[step]:.1f} s)" if state == DONE else ""
            self._console.print(
                f"{_MARK[state][0]} {step}: {self._detail[step] or self._what[step]}{seconds}", highlight=False
            )

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
                Text(f"{seconds:.0f} s" if seconds is not None else "", style="dim"),
            )
        return Group(table)
