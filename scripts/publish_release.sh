#!/usr/bin/env bash
# Builds the wheel and its locked requirements, and publishes both with their checksums for the streamer's host.
# usage: scripts/publish_release.sh ARTIFACTS_BUCKET
set -euo pipefail
bucket=${1:?usage: scripts/publish_release.sh ARTIFACTS_BUCKET}
cd "$(dirname "$0")/.."
release=$(mktemp -d)
trap 'rm -rf "$release"' EXIT

uv build --quiet --wheel --out-dir "$release"
rm -f "$release/.gitignore"
uv export --quiet --locked --no-dev --no-emit-project --format requirements-txt --output-file "$release/requirements.txt" > /dev/null
(cd "$release" && sha256sum -- * > SHA256SUMS)

wheel=$(basename "$release"/postrank-*.whl)
version=$(cut -d- -f2 <<< "$wheel")
aws s3 cp --recursive --only-show-errors "$release" "s3://$bucket/streamer/$version/"
echo "published $version to s3://$bucket/streamer/$version/"
