-- cascades: one row per post whose reposts and quotes in an interval form a tree, the largest first.
-- depth: how many steps the farthest is away; width: the most at one depth; half_seconds: until half of them were
-- there, from the post or, where it was not collected, from the first of them.
with originals as (
    select
        network,
        post_id,
        author_id,
        author_handle,
        posted_at
    from posts
    where posted_date between {{ params.first_day | text }} and {{ params.last_day | text }}
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
        posted_date between {{ params.first_day | text }} and {{ params.last_day | text }}
        and posted_at >= {{ params.all_from | timestamp }}
        and posted_at < {{ params.all_to | timestamp }}
        and ({{ params.all_networks | boolean }} or network in ({{ params.networks_ranked | texts }}))
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

measured as (
    select
        network,
        root_id,
        max(posts) as posts,
        sum(if(kind = 'repost', 1, 0)) as reposts,
        sum(if(kind = 'quote', 1, 0)) as quotes,
        max(depth) as depth,
        max(posts_of_depth) as width,
        min(first_at) as first_at,
        max(posted_at) as last_at,
        max(case when 2 * position >= posts and 2 * position < posts + 2 then posted_at end) as half_at
    from ordered
    group by network, root_id
)

select
    measured.network,
    measured.root_id,
    originals.author_id,
    originals.author_handle,
    measured.posts,
    measured.reposts,
    measured.quotes,
    measured.depth,
    measured.width,
    coalesce(originals.posted_at, measured.first_at) as started_at,
    date_diff('second', coalesce(originals.posted_at, measured.first_at), measured.half_at) as half_seconds,
    date_diff('second', coalesce(originals.posted_at, measured.first_at), measured.last_at) as last_seconds
from measured
left join originals
    on measured.network = originals.network and measured.root_id = originals.post_id
order by measured.posts desc, measured.network asc, measured.root_id asc
limit {{ params.limit | integer }}
