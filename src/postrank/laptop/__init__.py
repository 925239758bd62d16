"""The whole of Postrank on one machine: the local AWS, the streamer on its instance, Airflow and its DAGs."""
