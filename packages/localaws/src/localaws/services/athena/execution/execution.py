"""A query execution as it is kept: what was asked for, where its result lies, how far it is."""

from dataclasses import asdict, dataclass, fields

from localaws.core.shapes import Document, Structure

OPEN = ("QUEUED", "RUNNING")


@dataclass(slots=True, kw_only=True)
class Execution:
    """One execution. Times are seconds since 1970; `error` and `reuse` are structures of Athena's API."""

    id: str
    sql: str
    parameters: list[str]
    database: str | None
    catalog: str | None
    workgroup: str
    kind: str
    substatement: str | None
    folder: str
    output: str
    state: str
    submitted: float
    encryption: Document | None = None  # as configured; results are stored as they are
    managed: Structure | None = None  # ManagedQueryResultsConfiguration: results have a name instead of an address
    reuse: Structure | None = None
    scanned: int = 0
    started: float | None = None
    ended: float | None = None
    reason: str | None = None
    error: Structure | None = None
    manifest: str | None = None
    reused: bool = False

    @property
    def is_open(self) -> bool:
        return self.state in OPEN

    @property
    def metadata(self) -> str:
        """The file that describes the result's columns ("Working with query results", files)."""
        if self.substatement == "CREATE_TABLE_AS_SELECT":
            return f"{self.folder}{self.id}.metadata"  # not among the table's own objects
        return f"{self.output}.metadata"

    def end(self, state: str, ended: float, reason: str | None = None) -> None:
        self.state = state
        self.reason = reason
        self.ended = ended

    def document(self) -> Document:
        """The kept form, which `of` reads."""
        return asdict(self)

    @classmethod
    def of(cls, document: Structure) -> "Execution":
        """From its kept form; what an earlier version left out has its default, what it does not know is dropped."""
        names = {field.name for field in fields(cls)}
        return cls(**{name: value for name, value in document.items() if name in names})
