"""What the DAGs hand to each other, as Airflow's assets: its lineage goes from the raw arrivals to the exports."""

from airflow.sdk import Asset, AssetWatcher

from postrank_airflow.connections.environment import AWS_CONNECTION, POLL_SECONDS, RESOURCES, WAREHOUSE_QUEUE

_RAW, _LAKE, _RESULTS = (RESOURCES.buckets[name] for name in ("raw", "lake", "results"))

RAW_POSTS = Asset(name="raw_posts", uri=f"s3://{_RAW}/raw/posts/")
GAPS = Asset(name="gaps", uri=f"s3://{_RAW}/{RESOURCES.keys['ledgers']}gaps/")
POSTS = Asset(name="posts", uri=f"s3://{_LAKE}/post_versions/")
RANKING = Asset(name="author_ranking", uri=f"s3://{_LAKE}/author_ranking_revisions/")
EXPORT = Asset(name="rankings", uri=f"s3://{_RESULTS}/rankings/")
TRENDS = Asset(name="trends", uri=f"s3://{_RESULTS}/trends/")

_MESSAGES = 10  # of one call of SQS, which returns no more


def exported_objects() -> Asset | None:
    """The results bucket as S3's events tell of it: a message in the queue is an event of the asset, whose payload has
    the message. None without a queue, and then nothing of the trigger is imported.
    """
    if not WAREHOUSE_QUEUE:
        return None
    from airflow.providers.common.messaging.triggers.msg_queue import MessageQueueTrigger

    trigger = MessageQueueTrigger(
        scheme="sqs",
        sqs_queue=WAREHOUSE_QUEUE,
        aws_conn_id=AWS_CONNECTION,
        region_name=RESOURCES.region,
        max_messages=_MESSAGES,
        waiter_delay=POLL_SECONDS,
    )
    return Asset(
        name="exported_objects", uri=f"s3://{_RESULTS}/", watchers=[AssetWatcher(name="exports", trigger=trigger)]
    )
