"""What DAG files declare: assets, params, defaults, pools, deadlines."""
