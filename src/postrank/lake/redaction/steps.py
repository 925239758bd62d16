"""Taking deleted posts out of the lake, Parquet and raw, with evidence: the acts of one run.

A plan lies in the lake bucket from the moment it is made until its evidence is written. Each act may be repeated at any
point, and a plan that was begun and never ended (its run was killed for good) is ended by the next run. The raw zone
comes before the pointing, so that what is left undone is found again as a candidate.
"""

import hashlib
import json
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from typing import TYPE_CHECKING, Any

from postrank.aws import prefixes
from postrank.aws.athena import Athena
from postrank.aws.glue import Catalogue, Partition
from postrank.aws.prefixes import folder, split
from postrank.aws.resources import Resources
from postrank.aws.tables import prefix
from postrank.documents import Document
from postrank.errors import Fatal
from postrank.lake.redaction.raw_zone import RawZone
from postrank.ranking import plan as planning
from postrank.ranking import publish
from postrank.ranking.catalog_state import CORRECTIONS
from postrank.ranking.lease import Lease
from postrank.ranking.plan import Parameters
from postrank.ranking.run_identity import Run

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

EVIDENCE = "evidence/redactions/"  # in the lake bucket
PLANS = "state/redactions/"  # in the lake bucket


class NothingPlanned(Fatal):
    """A redaction was to go on that was never planned, or has ended."""

    def __init__(self, run_id: str) -> None:
        super().__init__(f"run {run_id} has no redaction under way: run plan_redaction again")
        self.run_id = run_id


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What one run is to take out. `posts` are (arrival hour, network, post id); `replaced` says where the partitions
    (`hour/day`) lay when this was planned.
    """

    run_id: str
    as_of: str
    posts: list[tuple[str, str, str]]
    rows: dict[str, int]
    replaced: dict[str, str]
    statements: list[Parameters]
    owed: list[Parameters]
    begun: bool = False
    approved_by: str | None = None

    @property
    def count(self) -> int:
        """How many posts a human would have to approve."""
        return len({(network, post_id) for _, network, post_id in self.posts})

    @property
    def dates(self) -> list[str]:
        """The arrival dates whose raw objects are to be looked through."""
        return sorted({hour[:10] for hour, _, _ in self.posts})


@dataclass(frozen=True, slots=True, kw_only=True)
class Redaction:
    """One run. `render` fills a file of `include/sql`; `as_of` is when the run began."""

    run: Run
    as_of: datetime
    resources: Resources
    athena: Athena
    catalogue: Catalogue
    s3: "S3Client"
    leases: Sequence[Lease]  # of all whose queries read `post_versions`
    render: Callable[..., str]

    def plan(self) -> Plan:
        """End what earlier runs began, then find the deleted posts that the lake still holds, and keep the plan."""
        for left in list(self._left()):
            if left.begun:
                earlier = replace(self, run=Run(left.run_id), as_of=datetime.fromisoformat(left.as_of))
                earlier.finish()
            self._forget(Run(left.run_id))
        ranked = self.catalogue.has_table("judged_versions")  # a lake in which nothing was ranked yet holds nothing
        rows = self.athena.rows(self.render("maintenance/redaction_candidates.sql")) if ranked else []
        pairs = Counter(f"{row['arrival_interval']}/{row['posted_date']}" for row in rows)
        owed = {f"{row['arrival_interval']}/{row['posted_date']}" for row in rows if row["is_owed"] == "true"}
        locations = {
            "/".join(partition.values): partition.location for partition in self.catalogue.partitions("post_versions")
        }
        plan = Plan(
            run_id=self.run.run_id,
            as_of=self.as_of.isoformat(),
            posts=sorted({(str(r["arrival_interval"]), str(r["network"]), str(r["post_id"])) for r in rows}),
            rows=dict(pairs),
            replaced={pair: locations[pair] for pair in pairs},
            statements=[self._statement("redacted_versions", n, some) for n, some in enumerate(planning.chunks(pairs))],
            owed=[self._statement("owed_minutes", 0, sorted(owed))] if owed else [],
        )
        self._keep(plan)
        return plan

    def begin(self, approved_by: str | None = None) -> list[str]:
        """Set out to do what was planned. Returns the arrival dates whose raw objects are to be rewritten."""
        plan = self._planned()
        self._keep(replace(plan, begun=True, approved_by=approved_by or plan.approved_by))
        return plan.dates

    def rewrite_raw(self, date: str) -> int:
        """Put stubs in the place of the deleted posts that arrived on a date. Returns how many lines that were."""
        zone = RawZone(self.s3, prefix("raw_posts", self.resources))
        gone: dict[str, set[tuple[str, str]]] = {}
        for hour, network, post_id in self._planned().posts:
            if hour.startswith(date):
                gone.setdefault(hour, set()).add((network, post_id))
        done = [rewritten for hour in sorted(gone) for rewritten in zone.redact(hour, gone[hour], self.run.slug)]
        self._put(self._part(date), [asdict(rewritten) for rewritten in done])
        return sum(rewritten.redacted for rewritten in done)

    def finish(self) -> str:
        """Point at the partitions without deleted posts, empty what they replace, leave the evidence; returns where."""
        plan = self._plan()
        if plan is None:  # an earlier attempt got as far as forgetting it
            return self._evidence_url
        for date in plan.dates:
            if self._read(self._part(date)) is None:
                self.rewrite_raw(date)
        tables = self._written(plan.statements)
        checks = (self.render("checks/post_versions.sql", table=table) for table in tables)
        publish.require_empty(self.athena, "post_versions", checks)
        with ExitStack() as leases:  # a query that reads an emptied place finds no rows, and no error
            for lease in self.leases:
                leases.enter_context(lease.held())
            self._point(plan, tables)
            self._owe(plan.owed)
            after = self._emptied(plan)
        evidence = self._evidence(plan, after)
        for table in (*tables, *self._written(plan.owed)):
            self.catalogue.drop(table)
        self._forget(self.run)
        return evidence

    def _point(self, plan: Plan, tables: Sequence[str]) -> None:
        """Point at what was written, but for partitions that somebody else has replaced since the plan was made."""
        now = {"/".join(partition.values): partition for partition in self.catalogue.partitions("post_versions")}
        written = {
            "/".join(partition.values): partition for table in tables for partition in self.catalogue.partitions(table)
        }
        rewritten = {pair for params in plan.statements if params["table"] in tables for pair in params["pairs"]}
        pointed = {pair for pair in rewritten if pair in now and now[pair].location == plan.replaced[pair]}
        repointed = [replace(written[pair], notes=now[pair].notes) for pair in sorted(pointed & set(written))]
        self.catalogue.point("post_versions", repointed)
        self.catalogue.forget("post_versions", [now[pair].values for pair in sorted(pointed - set(written))])

    def _owe(self, owed: Sequence[Parameters]) -> None:
        """Have the minutes ranked again from which no hour's run took the posts out."""
        for params in owed:
            table = params["table"]
            location = params["location"]
            if not self.catalogue.has_table(table):
                prefixes.empty(self.s3, location)
                self.athena.run(self.render("maintenance/owed_minutes.sql", **params))
            for debt in ("touched_minutes", "hashtag_debt"):
                self.catalogue.point(debt, [Partition((self.run.slug,), location)])

    def _emptied(self, plan: Plan) -> dict[str, str]:
        """Empty the planned partitions' old places where nobody reads them any more; returns where each lies now."""
        now = {
            "/".join(partition.values): partition.location for partition in self.catalogue.partitions("post_versions")
        }
        read = {folder(location) for location in now.values()}
        for location in plan.replaced.values():
            if folder(location) not in read:
                prefixes.empty(self.s3, folder(location))
        return now

    def _evidence(self, plan: Plan, now: dict[str, str]) -> str:
        objects = [entry for date in plan.dates for entry in self._read(self._part(date)) or ()]
        posts = sorted({f"{network} {post_id}" for _, network, post_id in plan.posts})
        content = {
            "run": plan.run_id,
            "at": plan.as_of,
            "approved_by": plan.approved_by,
            "posts": len(posts),
            "raw_lines": sum(entry["redacted"] for entry in objects),
            "raw_objects": objects,
            "partitions": [
                {
                    "partition": pair,
                    "rows": plan.rows[pair],
                    "emptied": location if now.get(pair) != location else None,
                    "now": now.get(pair),
                }
                for pair, location in sorted(plan.replaced.items())
            ],
            "sha256_of_network_and_post_id": [hashlib.sha256(entry.encode()).hexdigest() for entry in posts],
        }
        self._put(split(self._evidence_url)[1], content)
        return self._evidence_url

    def _statement(self, relation: str, number: int, pairs: Sequence[str]) -> Parameters:
        target = "post_versions" if relation == "redacted_versions" else "touched_minutes"
        days = {pair.split("/")[1] for pair in pairs}
        return {
            "table": self.run.scratch(relation, number),
            "location": self.run.location(self.resources, target, number),
            "arrival_hours": sorted({pair.split("/")[0] for pair in pairs}),
            "days": sorted(days if relation == "redacted_versions" else days - {CORRECTIONS}),
            "pairs": list(pairs),
        }

    def _written(self, statements: Sequence[Parameters]) -> list[str]:
        return [params["table"] for params in statements if self.catalogue.has_table(params["table"])]

    @property
    def _bucket(self) -> str:
        return self.resources.buckets["lake"]

    def _key(self, run: Run) -> str:
        return f"{PLANS}run={run.slug}/plan.json"

    def _part(self, date: str) -> str:
        return f"{PLANS}run={self.run.slug}/raw-{date}.json"

    @property
    def _evidence_url(self) -> str:
        return f"s3://{self._bucket}/{EVIDENCE}dt={self.as_of:%Y-%m-%d}/run={self.run.slug}-{self.as_of:%H%M%S}.json"

    def _plan(self) -> Plan | None:
        document = self._read(self._key(self.run))
        return _plan_of(document) if document else None

    def _planned(self) -> Plan:
        if plan := self._plan():
            return plan
        raise NothingPlanned(self.run.run_id)

    def _left(self) -> Iterator[Plan]:
        for page in self.s3.get_paginator("list_objects_v2").paginate(Bucket=self._bucket, Prefix=PLANS):
            for entry in page.get("Contents", ()):
                if entry["Key"].endswith("/plan.json"):
                    yield _plan_of(self._read(entry["Key"]))

    def _keep(self, plan: Plan) -> None:
        self._put(self._key(Run(plan.run_id)), asdict(plan))

    def _forget(self, run: Run) -> None:
        """The plan goes last: as long as it is there, the rest can be ended."""
        location = f"s3://{self._bucket}/{PLANS}run={run.slug}/"
        self.s3.delete_object(Bucket=self._bucket, Key=self._key(run))
        prefixes.empty(self.s3, location)

    def _put(self, key: str, content: Any) -> None:
        body = (json.dumps(content, indent=1) + "\n").encode()
        self.s3.put_object(Bucket=self._bucket, Key=key, Body=body, ContentType="application/json")

    def _read(self, key: str) -> Any:
        try:
            return json.loads(self.s3.get_object(Bucket=self._bucket, Key=key)["Body"].read())
        except self.s3.exceptions.NoSuchKey:
            return None


def _plan_of(document: Document) -> Plan:
    return Plan(**{**document, "posts": [tuple(post) for post in document["posts"]]})
