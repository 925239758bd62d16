"""The Jinja filters of `include/sql` for sqlfluff, which finds them here through `.sqlfluff`."""

from postrank.ranking.sql_literals import FILTERS

SQLFLUFF_JINJA_FILTERS = {**FILTERS, "attempt": lambda location: f"{location}attempt=1/"}
