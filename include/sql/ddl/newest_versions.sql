-- newest_versions: one row per network and post: the newest version, in the day in which it was posted.
-- An edit goes before a post, then the newest received_at, then the newest posted_at. Tombstoned posts are gone.
-- copy_rank: 1 but for a post of Mastodon that several instances showed, each under an id of its own: of those with the
-- same uri and minute, the one of the author's own instance is first, then the one of the first instance by name.
create or replace view newest_versions as
with versions as (
    select
        *,
        row_number() over (
            partition by posted_date, network, post_id
            order by
                case when kind in ('post', 'repeated') then 0 when kind in ('edit', 'moved') then 1 else 2 end desc,
                received_at desc,
                posted_at desc,
                arrival_interval desc,
                author_id asc
        ) as version_rank
    from post_versions
    where posted_date not in ('corrections', 'likes', 'metrics')
),

newest as (
    select *
    from versions
    where version_rank = 1 and kind in ('post', 'edit')
)

select
    *,
    row_number() over (
        partition by posted_date, date_trunc('minute', posted_at), coalesce(uri, concat(network, ' ', post_id))
        order by
            case when strpos(uri, concat('//', substr(network, 10), '/')) > 0 then 0 else 1 end asc,
            network asc,
            post_id asc
    ) as copy_rank
from newest
