-- The words of a language on some days, those in most posts first.
select
    word,
    sum(posts)::bigint as posts
from words
where language = %(language)s and posted_date between %(first_day)s and %(last_day)s
group by word
order by sum(posts) desc, word asc
limit 500
