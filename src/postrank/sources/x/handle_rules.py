"""Following a list of handles on X: the rules that it makes, and making them anew when its file was written."""

import re
from dataclasses import dataclass, field
from pathlib import Path

from postrank.options import Options
from postrank.sources.files.value_lists import Watch, entries, unusable
from postrank.sources.x.rules import LONGEST, Rule

_HANDLE = re.compile(r"\w{1,15}", re.ASCII)
TAG = "follow"


@dataclass(slots=True)
class Following:
    """The handles of a file, one a line."""

    file: Path
    _watch: Watch = field(init=False)

    def __post_init__(self) -> None:
        self._watch = Watch([self.file])

    @classmethod
    def build(cls, options: Options) -> "Following | None":
        """`follow_file`, if there is one; what is wrong with it is noted in the options."""
        if not options.optional("follow_file"):
            return None
        path = options.path("follow_file")
        if why := unusable(path):
            options.wrong("follow_file", f"names {path}, which {why}")
            return None
        if wrong := wrong_handles(entries(path)):
            options.wrong("follow_file", f"holds what are no handles of X: {', '.join(wrong[:5])}")
        return cls(path)

    def rules(self) -> list[Rule]:
        """As few rules as hold all handles. A line that is no handle is left out."""
        handles = [entry.removeprefix("@").lower() for entry in entries(self.file)]
        rules: list[str] = []
        for handle in sorted({entry for entry in handles if _HANDLE.fullmatch(entry)}):
            term = f"from:{handle}"
            if rules and len(rules[-1]) + len(" OR ") + len(term) <= LONGEST:
                rules[-1] += f" OR {term}"
            else:
                rules.append(term)
        return [Rule(value, TAG) for value in rules]

    def changed(self) -> bool:
        """Whether the file was written. Raises ValueError for one that cannot be taken over."""
        return self._watch.changed()


def wrong_handles(handles: list[str]) -> list[str]:
    """Those that no account of X can have."""
    return [handle for handle in handles if not _HANDLE.fullmatch(handle.removeprefix("@"))]
