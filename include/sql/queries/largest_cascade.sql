-- The reposts and quotes of the newest posted day's most reposted post as a tree over time, the earliest first.
with newest as (
    select max(posted_date) as posted_date
    from author_minutes
),

edges as (
    select
        network,
        post_id,
        author_id,
        posted_at,
        coalesce(repost_of, quote_of) as parent_id,
        if(repost_of is null, 'quote', 'repost') as kind
    from posts
    where
        posted_date in (select newest.posted_date from newest)
        and coalesce(repost_of, quote_of) is not null
        and coalesce(repost_of, quote_of) <> post_id
),

-- Each post with the posts that it hangs on, up to eight above it.
placed as (
    select
        e0.network,
        e0.post_id,
        e0.posted_at,
        e0.kind,
        coalesce(
            e7.parent_id,
            e6.parent_id,
            e5.parent_id,
            e4.parent_id,
            e3.parent_id,
            e2.parent_id,
            e1.parent_id,
            e0.parent_id
        ) as root_id,
        1
        + if(e1.post_id is null, 0, 1)
        + if(e2.post_id is null, 0, 1)
        + if(e3.post_id is null, 0, 1)
        + if(e4.post_id is null, 0, 1)
        + if(e5.post_id is null, 0, 1)
        + if(e6.post_id is null, 0, 1)
        + if(e7.post_id is null, 0, 1) as depth
    from edges as e0
    left join edges as e1
        on e0.network = e1.network and e0.parent_id = e1.post_id
    left join edges as e2
        on e1.network = e2.network and e1.parent_id = e2.post_id
    left join edges as e3
        on e2.network = e3.network and e2.parent_id = e3.post_id
    left join edges as e4
        on e3.network = e4.network and e3.parent_id = e4.post_id
    left join edges as e5
        on e4.network = e5.network and e4.parent_id = e5.post_id
    left join edges as e6
        on e5.network = e6.network and e5.parent_id = e6.post_id
    left join edges as e7
        on e6.network = e7.network and e6.parent_id = e7.post_id
),

ordered as (
    select
        *,
        row_number() over (partition by network, root_id order by posted_at asc, post_id asc) as position,
        count(*) over (partition by network, root_id) as posts,
        count(*) over (partition by network, root_id, depth) as posts_of_depth,
        min(posted_at) over (partition by network, root_id) as first_at
    from placed
),

largest as (
    select
        network,
        root_id
    from ordered
    group by network, root_id
    order by count(*) desc, network asc, root_id asc
    limit 1
)

select
    ordered.network,
    ordered.root_id,
    ordered.post_id,
    edges.parent_id,
    ordered.depth,
    ordered.kind,
    edges.author_id,
    ordered.posted_at,
    ordered.position
from ordered
inner join largest
    on ordered.network = largest.network and ordered.root_id = largest.root_id
inner join edges
    on ordered.network = edges.network and ordered.post_id = edges.post_id
order by ordered.position asc
