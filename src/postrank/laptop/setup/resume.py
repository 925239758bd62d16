"""What a run was started with, kept so that a later `--keep` resumes exactly that."""

import json
from dataclasses import replace
from pathlib import Path

from postrank.errors import Fatal
from postrank.laptop.setup.layout import Layout
from postrank.laptop.setup.options import Options


class OtherPosts(Fatal):
    """A run that resumes was given other posts than the run that it resumes."""

    def __init__(self, existing: str, requested: str) -> None:
        super().__init__(
            f"KEEP=1 (--keep) resumes a run of {existing}, and {requested} was given: leave out SOURCE and POSTS "
            "to resume, or leave out KEEP to start fresh"
        )


def resumed(options: Options, layout: Layout) -> Options:
    """The options with the source and files of the run to resume, if there is one. Raises OtherPosts.

    A source or files that are not named are those of that run.
    """
    path = _path(layout)
    if not options.keep or not path.exists():
        return options
    document = json.loads(path.read_text(encoding="utf-8"))
    files = tuple(Path(name) for name in document["files"])
    same_source = options.source in (None, document["source"])
    same_files = not options.posts or options.files(layout) == files
    if not (same_source and same_files):
        raise OtherPosts(_text(document["source"], files), _text(options.kind, options.files(layout)))
    return replace(options, source=document["source"], posts=files)


def keep_record(options: Options, layout: Layout) -> None:
    """Record the source and files of a run that starts."""
    document = {"source": options.kind, "files": [str(path) for path in options.files(layout)]}
    _path(layout).write_text(json.dumps(document, indent=2) + "\n", encoding="utf-8")


def _path(layout: Layout) -> Path:
    return layout.streamer / "posts.json"


def _text(source: str, files: tuple[Path, ...]) -> str:
    return source if not files else f"{source} of {', '.join(str(path) for path in files)}"
