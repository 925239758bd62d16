"""What Postrank adds to Airflow's pages and API."""
