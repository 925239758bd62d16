"""Write the lock of the Trino that `localaws serve --athena trino` runs: what Maven resolves, with sizes and hashes.

Needs Maven, and downloads about 400 MB: python scripts/trino_lock.py [FOLDER]
"""

import hashlib
import subprocess
import sys
import tempfile
from collections import defaultdict
from pathlib import Path

VERSION = "476"
TARGET = Path(__file__).resolve().parents[1] / (
    "packages/localaws/src/localaws/services/athena/execution/trino/artifacts.lock"
)
# The class paths: the server's, one for each plugin, and that of the compiler of localaws's own Java sources.
CLASS_PATHS = {
    "server": ("io.trino", "trino-main", VERSION),
    "hive": ("io.trino", "trino-hive", VERSION),
    "iceberg": ("io.trino", "trino-iceberg", VERSION),
    "compiler": ("org.eclipse.jdt", "ecj", "3.45.0"),
}
# What only other file systems, catalogues and caches load; it is a third of the bytes.
UNUSED = ("net/snowflake/", "org/rocksdb/", "org/alluxio/", "io/grpc/", "com/azure/")
_POM = """<project xmlns="http://maven.apache.org/POM/4.0.0"><modelVersion>4.0.0</modelVersion><groupId>localaws</groupId>
<artifactId>{name}</artifactId><version>1</version><dependencies><dependency><groupId>{coordinates[0]}</groupId>
<artifactId>{coordinates[1]}</artifactId><version>{coordinates[2]}</version></dependency></dependencies></project>
"""


def resolve(name: str, coordinates: tuple[str, str, str], scratch: Path) -> Path:
    """The folder, in a repository's layout, of all that an artifact needs at run time."""
    folder = scratch / name
    jars = folder / "jars"
    if not jars.exists():
        folder.mkdir(parents=True)
        pom = folder / "pom.xml"
        pom.write_text(_POM.format(name=name, coordinates=coordinates))
        goal = ["dependency:copy-dependencies", "-DincludeScope=runtime", "-Dmdep.useRepositoryLayout=true"]
        subprocess.run(["mvn", "-q", "-B", "-f", str(pom), *goal, f"-DoutputDirectory={jars}"], check=True)
    return jars


def main() -> None:
    scratch = Path(sys.argv[1]) if len(sys.argv) > 1 else Path(tempfile.mkdtemp())
    uses: dict[str, list[str]] = defaultdict(list)
    digests: dict[str, tuple[int, str]] = {}
    for name, coordinates in CLASS_PATHS.items():
        jars = resolve(name, coordinates, scratch)
        for path in sorted(jars.rglob("*.jar")):
            key = path.relative_to(jars).as_posix()
            if key.startswith(UNUSED):
                continue
            uses[key].append(name)
            content = path.read_bytes()
            digests[key] = (len(content), hashlib.sha256(content).hexdigest())
    heading = "# Written by scripts/trino_lock.py: path below a Maven repository, bytes, SHA-256, class paths."
    lines = [f"{key} {digests[key][0]} {digests[key][1]} {','.join(uses[key])}" for key in sorted(uses)]
    TARGET.write_text("\n".join([heading, *lines]) + "\n")
    print(f"{TARGET.name}: {len(lines)} artifacts, {sum(size for size, _ in digests.values()) / 1e6:.0f} MB")


if __name__ == "__main__":
    main()
