-- check of author_ranking: the rows out of order, ranks with a gap or a double, shares and totals that do not fit.
with followed as (
    select
        granularity,
        window_start,
        rank,
        posts,
        share,
        row_number() over (
            partition by granularity, window_start, window_end, network_scope order by rank asc
        ) - 1 as expected_rank,
        sum(case when rank > 0 then posts else 0 end) over (
            partition by granularity, window_start, window_end, network_scope
        ) as ranked_posts,
        max(case when rank = 0 then posts end) over (
            partition by granularity, window_start, window_end, network_scope
        ) as window_posts
    from {{ params.table | name }}
)

select
    granularity,
    window_start,
    rank,
    posts,
    share,
    window_posts
from followed
where
    rank <> expected_rank
    or window_posts is null
    or ranked_posts > window_posts
    or (rank > 0 and (posts < 1 or share > 1))
order by granularity asc, window_start asc, rank asc
limit 20
