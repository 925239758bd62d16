"""The errors of the job; their messages are for the person who started it."""

from pathlib import Path


class JobError(Exception):
    """What a person must change before the job can run."""


class QueryFailed(JobError):
    """A query ended while it ran; started again, the job resumes from its checkpoint."""


class QueryError(JobError):
    """A query file that cannot be run: where, and why."""

    def __init__(self, file: Path, line: int, reason: str) -> None:
        super().__init__(f"{file}:{line}: {reason}")
        self.file = file
        self.line = line


class QueryErrors(JobError):
    """Everything that is wrong in several query files, a line for each."""

    def __init__(self, errors: list[QueryError]) -> None:
        super().__init__("\n".join(map(str, errors)))
        self.errors = errors
