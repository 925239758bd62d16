"""The streamer of a run: the description of what its instance runs, and what its heartbeat says."""

import json
import sys
import time
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from botocore.exceptions import ClientError

from postrank.aws.resources import Resources
from postrank.laptop.cloud import LocalCloud
from postrank.laptop.layout import Layout
from postrank.laptop.options import Options
