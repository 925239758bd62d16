-- A word over the days of a language.
select
    posted_date as day,
    posts
from words
where language = %(language)s and word = %(word)s
order by posted_date
