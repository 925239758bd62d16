-- Labels of a model by author, of those with most labelled posts.
select
    l.network,
    l.author_id,
    coalesce(max(a.name), max(a.handle), l.author_id) as author,
    l.label,
    count(*) as posts
from labels as l
left join authors as a on l.network = a.network and l.author_id = a.author_id
where l.model = %(model)s and (%(hashtag)s = '' or %(hashtag)s = any(l.hashtags))
group by l.network, l.author_id, l.label
order by count(*) desc, l.network asc, l.author_id asc, l.label asc
limit 300
