"""Spark's tests need pyspark and its Java; elsewhere they skip and say so."""

from collections.abc import Iterator

import pytest

from postrank_spark.errors import JobError
from postrank_spark.java import find_java_home
from tests.support.spark.jobs import Cloud, running_cloud


@pytest.fixture(scope="session")
def spark() -> None:
    pytest.importorskip("pyspark", reason="pyspark is not installed: make spark")
    try:
        find_java_home()
    except JobError as error:
        pytest.skip(str(error))


@pytest.fixture
def cloud(spark, tmp_path) -> Iterator[Cloud]:
    with running_cloud(tmp_path) as cloud:
        yield cloud
