-- Labels of a model per hour, of all posts or of those with a hashtag.
select
    date_trunc('hour', posted_at) as hour,
    label,
    count(*) as posts
from labels
where model = %(model)s and (%(hashtag)s = '' or %(hashtag)s = any(hashtags))
group by 1, 2
order by 1, 2
