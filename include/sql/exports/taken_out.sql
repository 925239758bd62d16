-- taken_out: one row: what lies behind the ranked days, and what was taken out of them.
with versions as (
    select
        network,
        post_id,
        posted_date,
        sum(case when kind in ('post', 'redacted_post') then copies else 0 end) as post_lines,
        sum(case when kind in ('edit', 'redacted_edit') then copies else 0 end) as edit_lines,
        max(case when kind in ('deleted', 'redacted_post', 'redacted_edit') then 1 else 0 end) as is_deleted,
        max(case when kind in ('post', 'edit', 'redacted_post', 'redacted_edit') then 1 else 0 end) as is_post
    from post_versions
    where posted_date in ({{ params.days | texts }})
    group by network, post_id, posted_date
)

select
    coalesce(sum(post_lines), 0) as post_lines,
    coalesce(sum(edit_lines), 0) as edit_lines,
    coalesce(sum(case when post_lines > 1 then post_lines - 1 else 0 end), 0) as duplicates,
    coalesce(sum(is_deleted * is_post), 0) as tombstones,
    coalesce(sum(is_post * (1 - is_deleted)), 0) as posts
from versions
