-- redaction_candidates: one row per partition of post_versions and deleted post whose words it still holds.
-- is_owed: no mark takes the post out of that day yet, so its minutes are still ranked with it.
with marked as (
    select distinct
        network,
        post_id,
        posted_date
    from post_versions
    where kind in ('deleted', 'redacted_post', 'redacted_edit')
)

select
    post_versions.arrival_interval,
    post_versions.posted_date,
    post_versions.network,
    post_versions.post_id,
    max(
        case when post_versions.posted_date <> 'corrections' and marked.post_id is null then 'true' else 'false' end
    ) as is_owed
from post_versions
left join marked
    on
        post_versions.network = marked.network
        and post_versions.post_id = marked.post_id
        and post_versions.posted_date = marked.posted_date
where
    post_versions.kind in ('post', 'edit')
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
group by post_versions.arrival_interval, post_versions.posted_date, post_versions.network, post_versions.post_id
order by
    post_versions.arrival_interval asc,
    post_versions.posted_date asc,
    post_versions.network asc,
    post_versions.post_id asc
