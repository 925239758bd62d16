-- Posts by day and type, of the newest export of each day.
select distinct on (posted_date, type)
    posted_date,
    type,
    posts
from posts_by_type
where scope = %(scope)s
order by posted_date desc, type asc, exported_at desc
limit 400
