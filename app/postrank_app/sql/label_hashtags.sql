-- Labels of a model by hashtag.
select
    hashtag,
    label,
    count(*) as posts
from labels
cross join unnest(hashtags) as tags (hashtag)
where model = %(model)s
group by 1, 2
order by 3 desc, 1 asc, 2 asc
limit 300
