"""What the UI shows about a DAG: its file's docstring, the meaning of the terms in it, what its statements write.

The definitions are those of `docs/glossary.md`, which is not deployed with the DAGs; a test holds the two together.
"""

from inspect import cleandoc

_TERMS = {
    "Arrival hour": "When Firehose delivered a line; the raw zone is partitioned by it (`dt`, `hour`). A *late post* "
    "has an arrival hour after its event hour.",
    "Author window": "The number of posts of one author in 60 seconds of event time, counted while streaming.",
    "Backfill": "Reading a past span again to close a gap: X's recent search, Mastodon's timelines, archive files.",
    "Collector": "One source with its filters, its state, its heartbeat and its host. Every record names the one that "
    "read it. All collectors of an environment write into the same streams and the same lake.",
    "Compaction": "Rewriting many small files of a partition as one.",
    "Conservation": "The rule that holds at each hop: received = delivered + rejected (+ ignored, + spooled, + in "
    "flight).",
    "Deploy marker": "A lease in S3 that keeps a second deployment and `supervise_streamer` away while a deployment "
    "runs.",
    "Event time": "When a post was published (`posted_at`). All windows and rankings use event time.",
    "Export": "Ranked authors as CSV, JSON and Parquet in the results bucket, with a **manifest** (rows, checksums, "
    "query ids, scanned bytes).",
    "Gap": "A span of time in which a source was not read. It is *open* until a ledger row names what recovered it.",
    "Heartbeat": "An object in S3 that the streamer writes every 5 seconds: phase, counts, last ack, last contact with "
    "the source.",
    "Hop": "One step of a post's way: source to streamer, streamer to Kinesis, Firehose to S3, S3 to catalog, catalog "
    "to ranking.",
    "Lake": "Typed Parquet tables that are derived from the raw zone.",
    "Lease": "An object in the lake that lets one run at a time move pointers.",
    "Ledger": "An append-only table of facts: `gaps`, `rejects`, `hop_counts`, `notices`.",
    "Pointing": "The last, atomic step on a relation: catalog partitions are pointed at files that were written and "
    "checked before.",
    "Ranking debt": "All touched minutes that no ranking has settled yet. A failed run leaves the debt in place, so "
    "the next run settles it.",
    "Raw zone": "Gzipped lines in S3 as Firehose delivered them.",
    "Redaction": "Removing author and text of a deleted post from lake and raw zone, with evidence.",
    "Reject": "A line that breaks the data contract. It is counted and stored with its reason.",
    "Revision": "A numbered version of one ranked window. A late post produces a new revision; readers see the newest.",
    "Settle": "Rank touched windows again and remove them from the debt.",
    "Slice": "A part of a backfill's span that one command reads.",
    "Stub": "What remains of a redacted line, so that line counts stay correct.",
    "Tombstone": "An event that says that a post was deleted. From then on the post does not count.",
    "Touched minute": "A minute of event time whose posts changed after it was ranked.",
    "Watermark": "The newest event time minus the allowed lateness (30 s). A tumbling window is *final* once the "
    "watermark passes its end.",
}

_STATEMENTS = {
    "staging/arrivals.sql": "Stage the new lines of the arrival hours: typed, judged by kind, repeats folded.",
    "staging/touched_minutes.sql": "Find the minutes of event time whose posts the staged lines change.",
    "marts/post_versions.sql": "Write the versions of posts that arrived, by arrival hour and posted day.",
    "marts/author_minutes.sql": "Count the posts of each author and minute of the touched days.",
    "marts/author_ranking.sql": "Rank the authors of every touched or requested window, as a new revision.",
    "exports/ranked_authors.sql": "Select the ranked authors of this run for the export.",
    "exports/taken_out.sql": "Count the posts of the ranked days and what was taken out: duplicates, deleted posts.",
    "marts/hashtag_ranking.sql": "Rank an hour's hashtags by how far they rise above the week before.",
    "exports/trending_hashtags.sql": "Select an hour's ranked hashtags for the export.",
    "maintenance/compacted.sql": "Write a partition of many small files as one file.",
    "maintenance/settled_ranking.sql": "Write the newest revision of each window of old days.",
    "maintenance/redacted_versions.sql": "Write partitions of `post_versions` again, with stubs for deleted posts.",
}


def of_statement(path: str) -> str:
    """The documentation of a task that runs a file of `include/sql`. Raises KeyError for a file that has none."""
    return f"{_STATEMENTS[path]}\n\nThe statement is `include/sql/{path}`."


def with_terms(text: str | None, *terms: str) -> str:
    """A DAG's documentation in Markdown, with the definitions of `terms` below it. Raises KeyError for other terms."""
    listing = "\n".join(f"* **{term}**: {_TERMS[term]}" for term in terms)
    return f"{cleandoc(text or '')}\n\n#### Terms\n\n{listing}\n\nMore terms: `docs/glossary.md` in the repository."
