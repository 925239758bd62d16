"""The pools that DAGs name. A task in a pool that Airflow does not have is never started, so each start of Airflow
imports `include/pools.json` (`airflow pools import`).
"""

BACKFILL = "postrank_backfill"  # one slice at a time: a network's rate limit is the account's, not the slice's
X_TRENDS = "postrank_x_trends"  # 75 calls in 15 minutes
