"""How a deployment fails, each way with its exit status."""

from postrank.errors import Fatal


class DeploymentFailed(Fatal):
    """A deployment that did not bring its version; `status` is the command's exit status."""

    status = 2


class DeploymentGoesOn(DeploymentFailed):
    """Another one holds the marker."""

    status = 3


class NotInstalled(DeploymentFailed):
    """The host could not be asked, or could not install the release; what ran before runs on, untouched."""

    status = 4


class RolledBack(DeploymentFailed):
    """The release was tried and taken back; the version before it beats again."""

    status = 5


class LeftSilent(DeploymentFailed):
    """The release was tried, and nothing beats: a human is needed."""

    status = 6


class Silent(Fatal):
    """No heartbeat of the wanted version came in time."""


class Interrupted(BaseException):
    """A signal asks the deployment to end; like KeyboardInterrupt, nothing that handles errors may swallow it."""
