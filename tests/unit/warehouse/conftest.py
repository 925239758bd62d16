from tests.support.lake.warehouse import (  # noqa: F401 fixtures
    bucket,
    credentials,
    database,
    instance,
    loader,
    migrated,
    s3,
    server,
    warehouse_aws,
)
