-- author_ranking: one row per granularity, window and rank, best first.
-- Rank 0 is the window itself, ranked anew even when nobody is left in it.
create table {{ params.table | name }}
with (
    format = 'PARQUET',
    write_compression = 'ZSTD',
    external_location = {{ params.location | attempt | text }},
    partitioned_by = array['window_date']
) as
-- `seconds` is the length of a window; the whole interval has its own.
with granularities as (
    select
        t.granularity,
        t.seconds
    from (values ('minute', 60), ('hour', 3600), ('day', 86400), ('all', null)) as t (granularity, seconds)
    where t.granularity in ({{ params.windows | texts }})
),

touched as (
    select distinct posted_minute
    from touched_minutes
    where run in ({{ params.debt_runs | texts }})
),

earlier as (
    select
        granularity,
        window_start,
        window_end,
        max(revision) as revision
    from author_ranking_revisions
    where
        window_date in ({{ params.days | texts }})
        and run <> {{ params.run | text }}
        and network_scope = {{ params.scope | text }}
        and rank = 0
    group by granularity, window_start, window_end
),

-- lag() finds the minute before each: the sliding 60 s that end at a window's first instant lie in it.
minutes as (
    select
        network,
        author_id,
        author_handle,
        author_name,
        posted_minute,
        {{ params.posts_column | name }} as minute_posts,
        {{ params.peak_column | name }} as minute_peak,
        lag(posted_minute) over (partition by network, author_id order by posted_minute asc) as earlier_minute,
        lag({{ params.tail_column | name }}) over (
            partition by network, author_id
            order by posted_minute asc
        ) as earlier_tail
    from {{ params.minutes | name }}
    where
        posted_date in ({{ params.read_days | texts }})
        and ({{ params.all_networks | boolean }} or network in ({{ params.networks_ranked | texts }}))
),

placed as (
    select
        g.granularity,
        m.network,
        m.author_id,
        m.author_handle,
        m.author_name,
        m.posted_minute,
        m.minute_posts,
        m.minute_peak,
        m.earlier_minute,
        m.earlier_tail,
        if(
            g.granularity = 'all',
            {{ params.all_from | timestamp }},
            date_trunc(g.granularity, m.posted_minute)
        ) as window_start
    from minutes as m
    cross join granularities as g
    where
        g.granularity <> 'all'
        or (
            m.posted_minute >= {{ params.all_from | timestamp }}
            and m.posted_minute < {{ params.all_to | timestamp }}
        )
),

authors as (
    select
        granularity,
        window_start,
        network,
        author_id,
        max_by(author_handle, posted_minute) filter (where author_handle is not null) as author_handle,
        max_by(author_name, posted_minute) filter (where author_name is not null) as author_name,
        sum(minute_posts) as posts,
        greatest(
            max(minute_peak),
            max(case when earlier_minute = date_add('minute', -1, window_start) then earlier_tail else 0 end)
        ) as peak_60s
    from placed
    group by granularity, window_start, network, author_id
    having sum(minute_posts) > 0
),

ranked as (
    select
        granularity,
        window_start,
        network,
        author_id,
        author_handle,
        author_name,
        posts,
        peak_60s,
        sum(posts) over (partition by granularity, window_start) as window_posts,
        row_number() over (
            partition by granularity, window_start
            order by {{ params.order_column | name }} desc, posts desc, network asc, author_id asc
        ) as rank
    from authors
),

compared as (
    select
        *,
        lag(rank) over (
            partition by granularity, network, author_id
            order by window_start asc
        ) as earlier_rank,
        lag(window_start) over (
            partition by granularity, network, author_id
            order by window_start asc
        ) as earlier_start
    from ranked
),

touched_windows as (
    select
        g.granularity,
        g.seconds,
        if(
            g.granularity = 'all',
            {{ params.all_from | timestamp }},
            date_trunc(g.granularity, t.posted_minute)
        ) as window_start
    from touched as t
    cross join granularities as g
),

-- A window's successor is due with it: it shows the rank in the window before.
due as (
    select
        granularity,
        window_start
    from touched_windows
    union
    select
        granularity,
        coalesce(date_add('second', seconds, window_start), window_start) as window_start
    from touched_windows
),

matched as (
    select
        coalesce(c.granularity, d.granularity) as granularity,
        coalesce(c.window_start, d.window_start) as window_start,
        d.granularity is not null as is_due,
        c.network,
        c.author_id,
        c.author_handle,
        c.author_name,
        c.posts,
        c.peak_60s,
        c.window_posts,
        c.rank,
        c.earlier_rank,
        c.earlier_start
    from compared as c
    full outer join due as d
        on c.granularity = d.granularity and c.window_start = d.window_start
),

bounded as (
    select
        m.*,
        coalesce(date_add('second', g.seconds, m.window_start), {{ params.all_to | timestamp }}) as window_end,
        date_add('second', g.seconds, m.earlier_start) as earlier_end
    from matched as m
    inner join granularities as g on m.granularity = g.granularity
),

selected as (
    select *
    from bounded
    where
        date_format(window_start, '%Y-%m-%d') in ({{ params.days | texts }})
        and (
            is_due
            or (
                {{ params.has_interval | boolean }}
                and window_start < {{ params.all_to | timestamp }}
                and window_end > {{ params.all_from | timestamp }}
            )
        )
),

ranks as (
    select
        granularity,
        window_start,
        window_end,
        rank,
        network,
        author_id,
        author_handle,
        author_name,
        posts,
        round(cast(posts as double) / window_posts, 6) as share,
        case when earlier_end = window_start then earlier_rank end as previous_rank,
        peak_60s
    from selected
    where rank <= {{ params.limit | integer }}
    union all
    select
        granularity,
        window_start,
        window_end,
        cast(0 as bigint) as rank,
        cast(null as varchar) as network,
        cast(null as varchar) as author_id,
        cast(null as varchar) as author_handle,
        cast(null as varchar) as author_name,
        coalesce(window_posts, 0) as posts,
        cast(null as double) as share,
        cast(null as bigint) as previous_rank,
        cast(null as bigint) as peak_60s
    from selected
    where coalesce(rank, 1) = 1
)

select
    ranks.granularity,
    ranks.window_start,
    ranks.window_end,
    {{ params.scope | text }} as network_scope,
    ranks.rank,
    ranks.network,
    ranks.author_id,
    ranks.author_handle,
    ranks.author_name,
    ranks.posts,
    ranks.share,
    ranks.previous_rank,
    ranks.peak_60s,
    coalesce(earlier.revision, 0) + 1 as revision,
    date_format(ranks.window_start, '%Y-%m-%d') as window_date
from ranks
left join earlier
    on
        ranks.granularity = earlier.granularity
        and ranks.window_start = earlier.window_start
        and ranks.window_end = earlier.window_end
where ranks.posts > 0 or earlier.revision is not null
