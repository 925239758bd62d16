"""What Airflow on ECS needs besides Terraform: values of its keys, and its own role in the metadata database."""
