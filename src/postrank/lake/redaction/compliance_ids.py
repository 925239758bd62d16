"""The ids of the posts of X that the lake holds, listed for a compliance job."""

import tempfile
from dataclasses import dataclass
from typing import TYPE_CHECKING

from postrank.aws.athena import Athena
from postrank.aws.glue import Catalogue

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

FOLDER = "archives/"  # in the raw bucket: what collectors' hosts may read
FILE = "compliance/x-ids.txt"  # below it; the next list replaces it
_STATEMENT = "select distinct post_id from posts where network = 'x'"


@dataclass(frozen=True, slots=True, kw_only=True)
class ComplianceIds:
    """Writes the list. `posts` holds no deleted post, so that none is asked about twice."""

    athena: Athena
    catalogue: Catalogue
    s3: "S3Client"
    bucket: str

    def write(self) -> int:
        """Write an id a line, and return how many; without any, nothing is written."""
        if not self.catalogue.has_table("posts"):  # nothing was ranked yet
            return 0
        count = 0
        with tempfile.TemporaryFile() as file:
            for row in self.athena.stream(_STATEMENT):
                file.write(f"{row['post_id']}\n".encode())
                count += 1
            size = file.tell()
            file.seek(0)
            if count:
                self.s3.put_object(Bucket=self.bucket, Key=FOLDER + FILE, Body=file, ContentLength=size)
        return count
