"""How a deployed environment is, as far as AWS says it: for people who are not in Airflow's UI."""
