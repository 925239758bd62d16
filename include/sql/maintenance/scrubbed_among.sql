-- scrubbed_among: one row per post, or author up to a post, whose place X wants removed, of those asked about.
select
    notices.post_id,
    notices.author_id,
    max(case when notices.about = 'place of the post' then 'false' else 'true' end) as is_author
from notices
cross join unnest(array[notices.post_id, concat('author:', notices.author_id)]) as t (named)
where
    notices.kind = 'scrub_geo'
    and t.named in ({{ params.post_ids | texts }})
group by notices.post_id, notices.author_id
order by notices.post_id asc, notices.author_id asc
