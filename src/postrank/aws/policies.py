"""The IAM policies of Postrank's roles, rendered from the documents that Terraform renders too.

The documents lie in `policies/<role>.json` (what the role may do) and `policies/<role>.trust.json` (who may become
it). Their `${names}` are those of `variables`: Terraform's `templatefile` and `string.Template` share that syntax.
"""

from importlib.resources import files
from string import Template

from postrank.aws.resources import Resources


def variables(resources: Resources) -> dict[str, str]:
    """The names that a policy document may use, with their values in this environment."""
    return {
        "environment": resources.environment,
        "account": resources.account,
        "region": resources.region,
        "stream_posts": resources.streams["posts"],
        "stream_author_windows": resources.streams["author_windows"],
        **{f"bucket_{name}": bucket for name, bucket in resources.buckets.items()},
        "database": resources.database,
        "crawler": resources.crawler,
        "workgroup": resources.workgroup,
        "topic": resources.topic,
        "warehouse_queue": resources.warehouse_queue,
        **{f"secret_{name}": secret for name, secret in resources.secrets.items()},
        **{f"delivery_{name}": stream for name, stream in resources.delivery_streams.items()},
        "bucket_spark": resources.spark.bucket,
        "kafka": resources.spark.application,
        "spark": resources.spark.role,
        "windows": resources.spark.windows,
        "streamer": resources.streamer.name,
        "airflow": resources.roles["airflow"],
        "app": resources.roles["app"],
        "document": resources.streamer.document,
        "release_document": resources.streamer.release_document,
        "backfill_document": resources.streamer.backfill_document,
        "service": resources.streamer.service,
        "metrics_namespace": resources.metrics_namespace,
        "end": "$",  # of a pattern; on its own it would start a name
    }


def policy(role: str, resources: Resources) -> str:
    """What `role` ("streamer", "firehose", ...) may do, as a JSON document. Raises KeyError for an unknown name in
    it.
    """
    return _render(f"policies/{role}.json", resources)


def trust(role: str, resources: Resources) -> str:
    """Who may assume `role`, as a JSON document."""
    return _render(f"policies/{role}.trust.json", resources)


def document(name: str, resources: Resources) -> str:
    """An SSM document ("streamer-service", "streamer-backfill"), as JSON."""
    return _render(f"documents/{name}.json", resources)


def _render(path: str, resources: Resources) -> str:
    text = files("postrank.aws").joinpath(path).read_text(encoding="utf-8")
    return Template(text).substitute(variables(resources))
