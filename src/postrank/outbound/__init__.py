"""Connections to other hosts: one place decides on proxy and certificate authorities, whatever library connects."""

from postrank.outbound.route import (
    Unusable,
    aws_authorities,
    describe,
    describe_aws,
    exempt_local_hosts,
    is_local,
    proxy_for,
    tls_context,
)

__all__ = [
    "Unusable",
    "aws_authorities",
    "describe",
    "describe_aws",
    "exempt_local_hosts",
    "is_local",
    "proxy_for",
    "tls_context",
]
