"""A plugin of pytest for suites whose client opens Arrow's S3 file system without an endpoint: it uses the local AWS.

Arrow reads AWS_ENDPOINT_URL only where no keys are passed.
"""

import os
from typing import Any
from urllib.parse import urlsplit

from pyarrow import fs

_ENDPOINT = urlsplit(os.environ["AWS_ENDPOINT_URL"])


class LocalFileSystem(fs.S3FileSystem):  # type: ignore[misc]  # pyarrow has no types
    """Arrow's S3 file system with the endpoint of the environment."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**{"endpoint_override": _ENDPOINT.netloc, "scheme": _ENDPOINT.scheme, **options})


fs.S3FileSystem = LocalFileSystem
