"""What the DAGs hand to each other, as Airflow's assets: its lineage goes from the raw arrivals to the exports."""

from airflow.sdk import Asset

from postrank_airflow.connections.environment import RESOURCES

_RAW, _LAKE, _RESULTS = (RESOURCES.buckets[name] for name in ("raw", "lake", "results"))

RAW_POSTS = Asset(name="raw_posts", uri=f"s3://{_RAW}/raw/posts/")
GAPS = Asset(name="gaps", uri=f"s3://{_RAW}/{RESOURCES.keys['ledgers']}gaps/")
POSTS = Asset(name="posts", uri=f"s3://{_LAKE}/post_versions/")
RANKING = Asset(name="author_ranking", uri=f"s3://{_LAKE}/author_ranking_revisions/")
EXPORT = Asset(name="rankings", uri=f"s3://{_RESULTS}/rankings/")
TRENDS = Asset(name="trends", uri=f"s3://{_RESULTS}/trends/")
