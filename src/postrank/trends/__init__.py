"""Trends: hashtags by hour, X's trends by place, both in Postgres."""
