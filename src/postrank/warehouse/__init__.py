"""The warehouse: exports of the results bucket as tables in Postgres, for people's tools and the app."""
