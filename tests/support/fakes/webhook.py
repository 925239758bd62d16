"""A Slack-compatible webhook on loopback."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from tests.support.fakes.http_server import Handler, serving


@dataclass
class Webhook:
    """Where it is, and what it was told."""

    url: str = ""
    told: list[str] = field(default_factory=list)


class _WebhookHandler(Handler):
    def do_POST(self) -> None:
        text = self.body()["text"]
        if self.path.startswith("/broken"):
            self.answer(500)
            return
        self.server.fake.told.append(text)  # type: ignore[attr-defined]
        self.answer(200)


@contextmanager
def webhook() -> Iterator[Webhook]:
    """A webhook on a free port; below `/broken` it answers 500."""
    fake = Webhook()
    with serving(fake, _WebhookHandler, None) as url:
        fake.url = url
        yield fake
