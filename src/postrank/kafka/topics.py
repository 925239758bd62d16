"""Whether a topic would take what is written to it, asked without writing anything."""

from postrank.kafka.connection import Connection
from postrank.kafka.reports import KafkaRefused, Reports, refusal

_ANSWER_SECONDS = 10.0


def ask_to_write(connection: Connection, topic: str) -> str:
    """What the cluster says of a topic: its partitions, its replicas, that this user may write to it.

    Raises KafkaRefused, KafkaAway, NoToken, MissingExtra, Unusable.
    """
    reports = Reports()
    properties = connection.properties(reports)
    from confluent_kafka import KafkaException, TopicCollection
    from confluent_kafka.admin import AdminClient
    from confluent_kafka.admin._acl import AclOperation

    what = f"writing to topic {topic}"
    connection.check_token(reports)
    client = AdminClient(properties)
    try:
        metadata = client.list_topics(topic, timeout=_ANSWER_SECONDS)
        description = metadata.topics[topic]
        if description.error is not None and (refused := refusal(what, description.error)) is not None:
            raise refused
        request = client.describe_topics(
            TopicCollection([topic]), include_authorized_operations=True, request_timeout=_ANSWER_SECONDS
        )
        operations = request[topic].result(_ANSWER_SECONDS).authorized_operations
    except KafkaException as error:
        raise reports.problem(what, error.args[0]) from error
    if AclOperation.WRITE not in (operations or ()):
        names = ", ".join(sorted(operation.name for operation in operations or ())) or "nothing"
        raise KafkaRefused(what, "TOPIC_AUTHORIZATION_FAILED", f"this user may: {names}", "allow it Write")
    replicas = min((len(partition.replicas) for partition in description.partitions.values()), default=0)
    return f"{len(description.partitions)} partitions with {replicas} replicas each on {len(metadata.brokers)} brokers"
