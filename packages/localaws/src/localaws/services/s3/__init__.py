"""S3: objects on disk with an index; what a bucket is configured to be is kept by the emulator."""

from localaws.services.s3.service import S3Service
from localaws.services.s3.store import Store

__all__ = ["S3Service", "Store"]
