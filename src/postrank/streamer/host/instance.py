"""Which instance this process runs on: told by its environment, by EC2's metadata service, else the host's name."""

import socket
from collections.abc import Mapping

import httpx

_ADDRESS = "http://169.254.169.254"
_SECONDS = 0.5  # the service answers at once or, off EC2, never


def instance_id(environ: Mapping[str, str]) -> str:
    """The EC2 instance id where there is one. INSTANCE_ID is what units on an instance are told."""
    if configured := environ.get("INSTANCE_ID"):
        return configured
    if environ.get("AWS_EC2_METADATA_DISABLED", "").lower() != "true":
        response = _ask(environ.get("AWS_EC2_METADATA_SERVICE_ENDPOINT", _ADDRESS).rstrip("/"))
        if response:
            return response
    return socket.gethostname()


def _ask(address: str) -> str | None:
    """IMDSv2: a token first (Amazon EC2 User Guide, "Use the Instance Metadata Service")."""
    try:
        with httpx.Client(base_url=address, timeout=_SECONDS, trust_env=False) as client:
            token = client.put("/latest/api/token", headers={"X-aws-ec2-metadata-token-ttl-seconds": "60"})
            token.raise_for_status()
            answer = client.get("/latest/meta-data/instance-id", headers={"X-aws-ec2-metadata-token": token.text})
            answer.raise_for_status()
            return answer.text.strip() or None
    except httpx.HTTPError:
        return None  # not on EC2
