"""Commands of Airflow on ECS."""
