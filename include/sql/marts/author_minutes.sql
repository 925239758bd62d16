-- author_minutes: one row per network, author and tumbling minute, for at most 100 posted days.
-- A post dated later than the day after its arrival is kept in `posts` but counted nowhere.
create table {{ params.table | name }}
with (
    format = 'PARQUET',
    write_compression = 'ZSTD',
    external_location = {{ params.location | attempt | text }},
    partitioned_by = array['posted_date']
) as
with day_posts as (
    select
        network,
        post_id,
        author_id,
        author_handle,
        author_name,
        posted_at,
        posted_date,
        date_trunc('minute', posted_at) as posted_minute,
        date_diff('millisecond', timestamp '1970-01-01 00:00:00.000', posted_at) as posted_ms,
        case when repost_of is null then 1 else 0 end as is_original
    from posts
    where
        posted_date in ({{ params.read_days | texts }})
        and posted_date
        <= date_format(date_add('day', 1, date_parse(substr(arrival_interval, 1, 10), '%Y-%m-%d')), '%Y-%m-%d')
        and (
            posted_date in ({{ params.days | texts }})
            or date_format(posted_at, '%H:%i') = '23:59'
        )
),

timed as (
    select
        *,
        count(*) over (
            partition by network, author_id
            order by posted_ms asc
            range between 59999 preceding and current row
        ) as recent_posts,
        sum(is_original) over (
            partition by network, author_id
            order by posted_ms asc
            range between 59999 preceding and current row
        ) as recent_originals,
        row_number() over (
            partition by network, author_id, posted_minute
            order by
                case when author_handle is null then 1 else 0 end asc,
                posted_ms desc,
                post_id desc
        ) as newest_rank
    from day_posts
)

select
    network,
    author_id,
    max(case when newest_rank = 1 then author_handle end) as author_handle,
    max(case when newest_rank = 1 then author_name end) as author_name,
    posted_minute,
    count(*) as posts,
    max(recent_posts) as peak_at_posts,
    sum(case when posted_at > posted_minute then 1 else 0 end) as tail,
    sum(is_original) as original_posts,
    max(recent_originals) as original_peak_at_posts,
    sum(case when posted_at > posted_minute then is_original else 0 end) as original_tail,
    posted_date
from timed
where posted_date in ({{ params.days | texts }})
group by network, author_id, posted_minute, posted_date
