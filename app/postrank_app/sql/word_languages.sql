-- The languages of words that were counted, those with most posts first.
select
    language,
    sum(posts)::bigint as posts
from words
group by language
order by sum(posts) desc, language asc
