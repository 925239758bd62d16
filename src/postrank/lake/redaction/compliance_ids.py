"""The ids of the posts of X that the lake holds, and of their authors, listed for compliance jobs."""

import tempfile
from dataclasses import dataclass
from typing import TYPE_CHECKING

from postrank.aws.athena import Athena
from postrank.aws.glue import Catalogue

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

FOLDER = "archives/"  # in the raw bucket: what collectors' hosts may read
POSTS_FILE = "compliance/x-ids.txt"  # below it; the next list replaces it
USERS_FILE = "compliance/x-users.txt"
_STATEMENTS = {
    POSTS_FILE: "select distinct post_id as id from posts where network = 'x'",
    USERS_FILE: "select distinct author_id as id from posts where network = 'x'",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class ComplianceIds:
    """Writes the lists. `posts` holds no deleted post, so that none is asked about twice."""

    athena: Athena
    catalogue: Catalogue
    s3: "S3Client"
    bucket: str

    def write(self, name: str) -> int:
        """Write the file of that name, an id a line, and return how many; without any, nothing is written."""
        if not self.catalogue.has_table("posts"):  # nothing was ranked yet
            return 0
        count = 0
        with tempfile.TemporaryFile() as file:
            for row in self.athena.stream(_STATEMENTS[name]):
                file.write(f"{row['id']}\n".encode())
                count += 1
            size = file.tell()
            file.seek(0)
            if count:
                self.s3.put_object(Bucket=self.bucket, Key=FOLDER + name, Body=file, ContentLength=size)
        return count
