-- check of hashtag_ranking: the rows out of order, doubled hashtags, counts that cannot be.
with followed as (
    select
        rank,
        hashtag,
        posts,
        authors,
        burst,
        row_number() over (order by rank asc) as expected_rank,
        lag(burst) over (order by rank asc) as better_burst,
        count(*) over (partition by hashtag) as same
    from {{ params.table | name }}
)

select
    rank,
    hashtag,
    posts,
    authors,
    burst
from followed
where
    rank <> expected_rank
    or burst > better_burst
    or same > 1
    or posts < 1
    or authors < 1
    or authors > posts
    or hashtag <> lower(hashtag)
order by rank asc
limit 20
