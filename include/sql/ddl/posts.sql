-- posts: one row per network and post: the newest version, in the day in which it was posted.
-- Tombstoned posts are gone. Of a post of Mastodon that several instances showed there is one row.
create or replace view posts as
select
    network,
    post_id,
    author_id,
    author_handle,
    author_name,
    posted_at,
    text,
    lang,
    hashtags,
    mentions,
    urls,
    reply_to,
    repost_of,
    quote_of,
    received_at,
    collector,
    source_cursor,
    conversation_id,
    reply_to_author,
    repost_of_author,
    quote_of_author,
    media_kinds,
    media_urls,
    place,
    source_app,
    sensitive,
    uri,
    visibility,
    tags,
    arrival_interval,
    posted_date
from newest_versions
where copy_rank = 1
