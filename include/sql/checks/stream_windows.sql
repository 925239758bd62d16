-- check of the stream's windows: the closed minutes of some days that the stream counted otherwise than the lake.
-- A collector's windows count what it saw, so that of a post that several saw each counts one. The lake has one row of
-- it, with the number of its lines. What came in a single line must be in the windows of the collector that sent it;
-- what came in several may be in any of them.
-- The stream does not tell what a backfill brought, and the lake no longer says who wrote what was redacted: a minute's
-- windows may count less than its posts by the former, and more by the latter. Either side may have told of late posts
-- that the other has not heard of yet: what had arrived by the settled hour is held to all that has arrived since.
with told as (
    select
        network,
        author_id,
        case when collector in ({{ params.collectors | texts }}) then collector else {{ params.main | text }} end
            as collector,
        cast(from_iso8601_timestamp(window_start) at time zone 'UTC' as timestamp(3)) as posted_minute,
        posts,
        concat(dt, 'T', hour) <= {{ params.settled_hour | text }} as is_settled
    from raw_author_windows
    where
        dt in ({{ params.window_dates | texts }})
        and kind = 'tumbling'
        and final
        and window_start >= {{ params.window_from | text }}
        and window_start < {{ params.window_to | text }}
),

closed as (
    select
        network,
        author_id,
        posted_minute,
        collector,
        max(posts) as posts,
        max(case when is_settled then posts end) as settled_posts
    from told
    group by 1, 2, 3, 4
),

lake as (
    select
        kind,
        network,
        post_id,
        author_id,
        copies,
        case when collector in ({{ params.collectors | texts }}) then collector else {{ params.main | text }} end
            as collector,
        arrival_interval <= {{ params.settled_hour | text }}
        and coalesce(collector, '') not like '%-backfill' as is_due,
        cast(date_trunc('minute', posted_at) as timestamp(3)) as posted_minute
    from post_versions
    where
        posted_date in ({{ params.days | texts }})
        and kind in ('post', 'redacted_post')
        and posted_at >= {{ params.window_from | timestamp }}
        and posted_at < {{ params.window_to | timestamp }}
),

lake_posts as (
    select
        network,
        author_id,
        posted_minute,
        post_id,
        min(collector) as collector,
        sum(copies) as line_count,
        max(case when is_due then 1 else 0 end) as due
    from lake
    where kind = 'post'
    group by 1, 2, 3, 4
),

counted as (
    select
        network,
        author_id,
        posted_minute,
        count(*) as posts,
        sum(due) as due_posts,
        sum(case when line_count > 1 then 1 else 0 end) as repeated_posts
    from lake_posts
    group by 1, 2, 3
),

sent_once as (
    select
        network,
        author_id,
        posted_minute,
        collector,
        count(*) as posts,
        sum(due) as due_posts
    from lake_posts
    where line_count <= 1
    group by 1, 2, 3, 4
),

redacted as (
    select
        network,
        posted_minute,
        count(distinct post_id) as posts
    from lake
    where kind = 'redacted_post'
    group by 1, 2
),

newest as (
    select max(cast(from_iso8601_timestamp(window_start) at time zone 'UTC' as timestamp(3))) as posted_minute
    from raw_author_windows
    where
        dt in ({{ params.window_dates | texts }})
        and kind = 'tumbling'
        and final
),

paired as (
    select
        coalesce(closed.network, sent_once.network) as network,
        coalesce(closed.author_id, sent_once.author_id) as author_id,
        coalesce(closed.posted_minute, sent_once.posted_minute) as posted_minute,
        coalesce(closed.collector, sent_once.collector) as collector,
        coalesce(closed.posts, 0) as stream_posts,
        coalesce(closed.settled_posts, 0) as settled_posts,
        coalesce(sent_once.posts, 0) as own_posts,
        coalesce(sent_once.due_posts, 0) as own_due_posts
    from closed
    full outer join sent_once
        on
            closed.network = sent_once.network
            and closed.author_id = sent_once.author_id
            and closed.posted_minute = sent_once.posted_minute
            and closed.collector = sent_once.collector
),

by_collector as (
    select
        coalesce(paired.network, counted.network) as network,
        coalesce(paired.author_id, counted.author_id) as author_id,
        coalesce(paired.posted_minute, counted.posted_minute) as posted_minute,
        paired.collector,
        coalesce(paired.stream_posts, 0) as stream_posts,
        coalesce(counted.posts, 0) as lake_posts,
        coalesce(counted.due_posts, 0) as due_posts,
        greatest(coalesce(paired.own_due_posts - paired.stream_posts, 0), 0) as untold_posts,
        greatest(
            coalesce(paired.settled_posts - paired.own_posts, 0) - coalesce(counted.repeated_posts, 0), 0
        ) as missing_posts
    from paired
    full outer join counted
        on
            paired.network = counted.network
            and paired.author_id = counted.author_id
            and paired.posted_minute = counted.posted_minute
),

judged as (
    select
        by_collector.*,
        sum(by_collector.missing_posts) over (
            partition by by_collector.network, by_collector.posted_minute, by_collector.collector
        ) as missing_in_minute,
        coalesce(redacted.posts, 0) as redacted_posts
    from by_collector
    left join redacted
        on
            by_collector.network = redacted.network
            and by_collector.posted_minute = redacted.posted_minute
),

compared as (
    select
        network,
        author_id,
        posted_minute,
        sum(stream_posts) as stream_posts,
        max(lake_posts) as lake_posts,
        max(due_posts) as due_posts,
        max(redacted_posts) as redacted_posts,
        max(untold_posts) as untold_posts,
        max(case when missing_posts > 0 and missing_in_minute > redacted_posts then missing_posts else 0 end)
            as missing_posts
    from judged
    group by 1, 2, 3
)

select
    compared.network,
    compared.author_id,
    compared.posted_minute,
    compared.stream_posts,
    compared.lake_posts,
    compared.redacted_posts
from compared
cross join newest
where
    compared.posted_minute <= newest.posted_minute
    and (
        compared.stream_posts < compared.due_posts
        or compared.untold_posts > 0
        or compared.missing_posts > 0
    )
order by 3 asc, 1 asc, 2 asc
limit 20
