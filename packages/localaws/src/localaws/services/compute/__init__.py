"""EC2 instances as groups of local processes: what runs on them, their states, Run Command, groups of one."""

from pathlib import Path

from localaws.compute.ec2 import Ec2Service
from localaws.compute.fleet import Fleet
from localaws.compute.groups import Groups
from localaws.compute.ssm.service import SsmService
from localaws.service import Cloud, Service


def create(cloud: Cloud, units: Path | None) -> list[Service]:
    """The services of `cloud` whose instances run what `units` (a folder of `<unit>.toml`) describes."""
    fleet = Fleet(cloud, units)
    return [Ec2Service(cloud, fleet, Groups(cloud, fleet)), SsmService(cloud, fleet)]
