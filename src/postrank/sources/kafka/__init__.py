"""Kafka topics as a source: lines of the contract, of any form that files have, or of logs."""

from postrank.sources.kafka.topic import KafkaTopic

__all__ = ["KafkaTopic"]
