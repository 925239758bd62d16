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
    judged_versions.arrival_interval,
    judged_versions.posted_date,
    judged_versions.network,
    judged_versions.post_id,
    max(
        case
            when judged_versions.posted_date in ('corrections', 'likes', 'metrics') then 'false'
            when marked.post_id is null then 'true'
            else 'false'
        end
    ) as is_owed
from judged_versions
left join marked
    on
        judged_versions.network = marked.network
        and judged_versions.post_id = marked.post_id
        and judged_versions.posted_date = marked.posted_date
where judged_versions.is_gone
group by
    judged_versions.arrival_interval, judged_versions.posted_date, judged_versions.network, judged_versions.post_id
order by
    judged_versions.arrival_interval asc,
    judged_versions.posted_date asc,
    judged_versions.network asc,
    judged_versions.post_id asc
