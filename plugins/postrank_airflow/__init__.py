"""What Postrank's DAGs need of Airflow beyond its stock operators."""
