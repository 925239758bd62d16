-- Have a day counted again.
delete from counted_days
where posted_date = %(posted_date)s;
