-- Remove a day's words.
delete from words
where posted_date = %(posted_date)s;
