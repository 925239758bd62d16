-- day_texts: one row per post of a posted day that has a text and is no repost.
select
    lang,
    text
from posts
where
    posted_date = {{ params.day | text }}
    and text is not null
    and repost_of is null
order by network asc, post_id asc
