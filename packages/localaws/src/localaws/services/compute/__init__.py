"""EC2 instances as groups of local processes: what runs on them, their states, Run Command, groups of one."""

from pathlib import Path

from localaws.core.cloud import Cloud, Service
from localaws.services.compute.auto_scaling import Groups
from localaws.services.compute.ec2 import Ec2Service
from localaws.services.compute.instances.fleet import Fleet
from localaws.services.compute.ssm.service import SsmService


def create(cloud: Cloud, units: Path | None) -> list[Service]:
    """The services of `cloud` whose instances run what `units` (a folder of `<unit>.toml`) describes."""
    fleet = Fleet(cloud, units)
    return [Ec2Service(cloud, fleet, Groups(cloud, fleet)), SsmService(cloud, fleet)]
