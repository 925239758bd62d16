"""The tasks of each DAG."""
