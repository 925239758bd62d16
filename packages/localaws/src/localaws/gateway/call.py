"""A call on its way through the gateway's stages."""

from dataclasses import dataclass

from localaws.core.cloud import Caller
from localaws.core.shapes import Document
from localaws.wire.request import HttpRequest
from localaws.wire.routing import Route


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """Who calls what, with what. `params` are decoded; the emulator may change them before it answers."""

    route: Route
    request: HttpRequest
    caller: Caller
    request_id: str
    params: Document

    @property
    def action(self) -> str:
        """The action as permissions and the call log name it; an unknown one by its method and path."""
        return self.route.action or f"{self.request.method} {self.request.path}"
