"""The page that lists what is implemented here."""

import re
from pathlib import Path

from localaws.services.kinesis.api.channels import CHANNEL_ACTIONS

PACKAGE = Path(__file__).parents[1]


def test_the_page_of_operations_lists_what_the_services_own():
    """Run scripts/operations.py when this fails."""
    page = (PACKAGE / "docs" / "operations.md").read_text(encoding="utf-8")
    sections = dict(re.findall(r"^## (\w+)\n\nHere: (.*)\.$", page, re.MULTILINE))
    listed = {name: set(actions.split(", ")) for name, actions in sections.items()}
    assert listed["firehose"] >= {"CreateDeliveryStream", "PutRecordBatch", "UpdateDestination"}
    assert listed["kinesis"] >= {"SubscribeToShard", "PutRecords", *CHANNEL_ACTIONS}
    assert listed["s3"] >= {"PutObject", "PutBucketNotificationConfiguration"}
    assert listed["athena"] >= {"StartQueryExecution", "GetQueryResults"}
