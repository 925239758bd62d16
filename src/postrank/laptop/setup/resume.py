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
            f"KEEP=1 (--keep) resumes a run of {existing}, and {requested} was given: leave out SOURCE, CONFIG "
            "and POSTS to resume, or leave out KEEP to start fresh"
        )


def resumed(options: Options, layout: Layout) -> Options:
    """The options with the source, files and configuration of the run to resume, if there is one. Raises OtherPosts.

    What is not named is that run's.
    """
    path = _path(layout)
    if not options.keep or not path.exists():
        return options
    document = json.loads(path.read_text(encoding="utf-8"))
    files = tuple(Path(name) for name in document["files"])
    config = Path(document["config"]) if document.get("config") else None
    same_config = options.config is None or options.config.resolve() == config
    same_source = options.source in (None, document["source"])
    same_files = not options.posts or options.files(layout) == files
    if not (same_config and same_source and same_files):
        existing = _text(document["source"], files, config)
        raise OtherPosts(existing, _text(options.kind, options.files(layout), options.config))
    return replace(options, source=document["source"], posts=files, config=config)


def keep_record(options: Options, layout: Layout) -> None:
    """Record the source, files and configuration of a run that starts."""
    document = {
        "source": options.kind,
        "files": [str(path) for path in options.files(layout)],
        "config": str(options.config.resolve()) if options.config else None,
    }
    _path(layout).write_text(json.dumps(document, indent=2) + "\n", encoding="utf-8")


def _path(layout: Layout) -> Path:
    return layout.streamer / "posts.json"


def _text(source: str, files: tuple[Path, ...], config: Path | None) -> str:
    of_files = f" of {', '.join(str(path) for path in files)}" if files else ""
    return source + of_files + (f" with {config}" if config else "")
