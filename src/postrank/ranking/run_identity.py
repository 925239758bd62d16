"""The identity of one run: names for its prefixes and scratch tables that are safe, and the same at every retry."""

import hashlib
import re
from dataclasses import dataclass

from postrank.aws.resources import Resources
from postrank.aws.tables import prefix

SCRATCH = "run_"  # how the tables begin that live as long as a run
STAGED = ("arrivals", "scoped_minutes")  # what no table points at
_UNSAFE = re.compile(r"[^A-Za-z0-9]+")


@dataclass(frozen=True, slots=True)
class Run:
    """One run, named after Airflow's run id."""

    run_id: str

    @property
    def slug(self) -> str:
        """What stands in keys as `run=<slug>`: the run id's letters and digits, and a few of its hash."""
        words = _UNSAFE.sub("-", self.run_id).strip("-")[:80]
        return f"{words}-{self._digest[:8]}"

    def scratch(self, relation: str, chunk: int = 0) -> str:
        """The catalogue name of a table that lives as long as the run."""
        return f"{SCRATCH}{self._digest[:16]}_{relation}_{chunk}"

    def location(self, resources: Resources, relation: str, chunk: int = 0) -> str:
        """Where the run writes a chunk of a relation; each attempt adds a folder of its own."""
        staged = f"s3://{resources.buckets['lake']}/staging/{relation}/"
        base = staged if relation in STAGED else prefix(relation, resources)
        return f"{base}run={self.slug}/chunk={chunk}/"

    @property
    def exports(self) -> str:
        """The prefix of the run's export in the results bucket."""
        return f"rankings/run={self.slug}/"

    @property
    def _digest(self) -> str:
        return hashlib.sha256(self.run_id.encode()).hexdigest()
