-- taken_out: one row: what lies behind the ranked days, and what was taken out of them.
with versions as (
    select
        network,
        post_id,
        posted_date,
        sum(case when kind in ('post', 'redacted_post') then copies else 0 end) as post_lines,
        sum(case when kind in ('edit', 'redacted_edit') then copies else 0 end) as edit_lines,
        max(case when kind in ('deleted', 'redacted_post', 'redacted_edit') then 1 else 0 end) as is_deleted,
        max(case when kind in ('post', 'edit', 'redacted_post', 'redacted_edit') then 1 else 0 end) as is_post,
        max(case when kind = 'repeated' then 1 else 0 end) as is_repeated
    from post_versions
    where
        posted_date in ({{ params.days | texts }})
        and posted_date
        <= date_format(date_add('day', 1, date_parse(substr(arrival_interval, 1, 10), '%Y-%m-%d')), '%Y-%m-%d')
    group by network, post_id, posted_date
),

posts_of_days as (
    select
        network,
        post_id,
        posted_date,
        copy_rank
    from newest_versions
    where posted_date in ({{ params.days | texts }})
),

counted as (
    select
        versions.*,
        case when posts_of_days.copy_rank = 1 then 1 else 0 end as is_counted,
        case when posts_of_days.copy_rank > 1 then 1 else 0 end as is_copy
    from versions
    left join posts_of_days
        on
            versions.network = posts_of_days.network
            and versions.post_id = posts_of_days.post_id
            and versions.posted_date = posts_of_days.posted_date
)

select
    coalesce(sum(post_lines), 0) as post_lines,
    coalesce(sum(edit_lines), 0) as edit_lines,
    coalesce(sum(
        case
            when is_copy = 1 then post_lines
            when is_repeated = 1 and is_deleted + is_counted = 0 then post_lines
            when post_lines > 1 then post_lines - 1
            else 0
        end
    ), 0) as duplicates,
    coalesce(sum(is_deleted * is_post), 0) as tombstones,
    coalesce(sum(is_counted), 0) as posts
from counted
