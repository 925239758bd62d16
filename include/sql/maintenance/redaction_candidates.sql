-- redaction_candidates: one row per partition of post_versions that still holds the words of posts that were deleted.
select
    arrival_interval,
    posted_date,
    count(*) as posts
from post_versions
where
    kind in ('post', 'edit')
    and (
        exists (
            select 1
            from tombstones
            where
                tombstones.network = post_versions.network
                and tombstones.post_id = post_versions.post_id
        )
        or exists (
            select 1
            from tombstones
            where
                tombstones.is_author
                and tombstones.network = post_versions.network
                and tombstones.author_id = post_versions.author_id
                and post_versions.posted_at <= coalesce(tombstones.deleted_at, post_versions.posted_at)
        )
    )
group by arrival_interval, posted_date
order by arrival_interval asc, posted_date asc
