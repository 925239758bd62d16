-- The days whose words were counted in a language, the newest first.
select distinct posted_date
from words
where language = %(language)s
order by posted_date desc
limit 400
