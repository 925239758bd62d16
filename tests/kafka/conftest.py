"""A real broker for the tests of this folder."""

import pytest

from localaws.testing.kafka import Broker
from tests.support.streaming.brokers import shared_broker


@pytest.fixture(scope="session")
def broker() -> Broker:
    """The broker of this process."""
    return shared_broker()
