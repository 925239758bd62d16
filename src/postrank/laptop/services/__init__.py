"""The processes of a run on a laptop: local AWS, Airflow, streamer."""
