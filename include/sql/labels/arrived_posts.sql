-- arrived_posts: one row per post whose newest version some arrival hours brought, and per mark that takes a post out.
-- is_gone: the post was deleted. hashtags: JSON.
select
    arrival_interval,
    network,
    post_id,
    author_id,
    posted_at,
    text,
    lang,
    json_format(cast(hashtags as json)) as hashtags,
    'false' as is_gone
from posts
where
    posted_date in ({{ params.days | texts }})
    and arrival_interval in ({{ params.arrival_hours | texts }})
union all
select distinct
    arrival_interval,
    network,
    post_id,
    cast(null as varchar) as author_id,
    cast(null as timestamp(3)) as posted_at,
    cast(null as varchar) as text,
    cast(null as varchar) as lang,
    cast(null as varchar) as hashtags,
    'true' as is_gone
from post_versions
where
    posted_date in ({{ params.days | texts }})
    and arrival_interval in ({{ params.arrival_hours | texts }})
    and kind in ('deleted', 'redacted_post', 'redacted_edit')
order by arrival_interval asc, network asc, post_id asc, is_gone asc
