"""What a run was started with, kept so that a later `--keep` resumes exactly that."""

import json
from dataclasses import replace
from pathlib import Path

from postrank.collectors.configuration import KEY
from postrank.documents import Document
from postrank.errors import Fatal
from postrank.laptop.setup.layout import Layout
from postrank.laptop.setup.options import Options
from postrank.streamer.config import read_document


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
    if document.get("sample"):
        if options.is_default:
            return options
        raise OtherPosts("the bundled sample", _text(options.label, options.posts, options.config))
    if document.get("sources") or _has_several(document.get("config")):
        return _several_resumed(options, document)
    files = tuple(Path(name) for name in document["files"])
    config = Path(document["config"]) if document.get("config") else None
    same_config = options.config is None or options.config.resolve() == config
    same_source = options.source in (None, document["source"]) and not options.sources
    same_files = not options.posts or options.files(layout) == files
    if not (same_config and same_source and same_files):
        existing = _text(document["source"], files, config)
        raise OtherPosts(existing, _text(options.kind, options.files(layout), options.config))
    return replace(options, source=document["source"], posts=files, config=config)


def keep_record(options: Options, layout: Layout) -> None:
    """Record the source, or sources, files and configuration of a run that starts."""
    collectors = options.collectors()
    document = {
        "sample": options.is_default,
        "source": collectors[0].kind,
        "sources": options.sources,
        "files": [str(path.resolve()) for path in options.posts]
        if options.sources
        else [str(path) for collector in collectors for path in collector.files(layout)],
        "config": str(options.config.resolve()) if options.config else None,
    }
    _path(layout).write_text(json.dumps(document, indent=2) + "\n", encoding="utf-8")


def _several_resumed(options: Options, document: Document) -> Options:
    """The options with the sources and files, or the map of collectors, of the run to resume. Raises OtherPosts."""
    sources = tuple(document["sources"])
    config = Path(document["config"]) if document.get("config") else None
    files = tuple(Path(name) for name in document["files"]) if sources else ()
    posts = tuple(path.resolve() for path in options.posts)
    same_config = options.config is None or options.config.resolve() == config
    if options.source or options.sources not in ((), sources) or posts not in ((), files) or not same_config:
        existing = _text(" + ".join(sources) or "several collectors", files, config)
        requested = _text(options.source or " + ".join(options.sources) or "others", posts, options.config)
        raise OtherPosts(existing, requested)
    return replace(options, sources=sources, posts=files, config=config)


def _has_several(config: str | None) -> bool:
    """Whether a configuration file has a map of collectors. Raises NoConfig."""
    return config is not None and KEY in read_document(Path(config))


def _path(layout: Layout) -> Path:
    return layout.streamer / "posts.json"


def _text(source: str, files: tuple[Path, ...], config: Path | None) -> str:
    of_files = f" of {', '.join(str(path) for path in files)}" if files else ""
    return source + of_files + (f" with {config}" if config else "")
