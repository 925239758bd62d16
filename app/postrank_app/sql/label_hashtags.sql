-- Labels of a model by hashtag.
select
    hashtag,
    label,
    count(*) as posts
from labels
cross join unnest(hashtags) as tags (hashtag)
where model = %(model)s
group by 1, 2
order by count(*) desc, 1, 2
limit 300
