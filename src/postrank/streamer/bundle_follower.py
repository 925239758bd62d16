"""Following the published bundle of a collector: look, check as a whole, apply or restart, keep or roll back."""

import logging
import threading
import time
from collections.abc import Callable, Mapping
from concurrent.futures import Future
from dataclasses import dataclass, field

from botocore.exceptions import BotoCoreError, ClientError

from postrank.bundles.publications import Publication, Publications
from postrank.errors import Fatal, PostrankError
from postrank.options import WrongSettings
from postrank.sources import Adjustable, Source
from postrank.streamer.bundle_changes import adjusts, configured, needs_restart
from postrank.streamer.config import Config
from postrank.streamer.engine.filters import Filters
from postrank.streamer.host.bundle_store import BundleStore

log = logging.getLogger(__name__)
_TICK = 1.0  # seconds between looks at a trial
BuildFilters = Callable[[Config], Filters]


@dataclass(slots=True, kw_only=True)
class Follower:
    """Runs in a thread of its own beside the streamer. `restart` ends the streamer, which is then built anew."""

    base: Config  # the host's own file
    config: Config  # what the streamer runs with
    environ: Mapping[str, str]
    store: BundleStore
    publications: Publications
    filters: Filters
    source: Source
    build_filters: BuildFilters
    check_source: Callable[[Config], Source]  # without secrets; raises WrongSettings
    contact: Callable[[], float]  # when the source was last heard (time.monotonic)
    restart: Callable[[], None] = lambda: None
    _began: float = field(default_factory=time.monotonic)  # of the trial
    _pending: "Future[None] | None" = None  # the source takes new options over
    _undo: tuple[Config, Filters] | None = None  # what held before, if it was changed without a restart
    _due: float = 0.0

    def run(self, stopped: threading.Event) -> None:
        """Follow until `stopped`. Nothing that goes wrong here ends the streamer."""
        seconds = self.config.remote.seconds
        while not stopped.wait(min(seconds, _TICK)):
            try:
                self._judge_trial()
                if not self.store.trial and time.monotonic() >= self._due:
                    self._due = time.monotonic() + seconds
                    if (publication := self.publications.changed()) is not None and self.store.is_new(publication):
                        self._take(publication)
            except (BotoCoreError, ClientError, PostrankError, OSError) as error:
                self.publications.forget()
                log.warning("published configuration not read", extra={"fields": {"why": str(error)}})

    def _take(self, publication: Publication) -> None:
        try:
            folder = self.store.unpack(publication, self.publications.bundle(publication))
            config = configured(self.base, folder, self.environ)
            filters = self.build_filters(config)
            other = self.check_source(config)  # raises what is wrong with filters too
        except Fatal as error:
            self._reject(publication, error)
            return
        adjustable = self.source.adjustable if isinstance(self.source, Adjustable) else frozenset()
        restarts = needs_restart(self.config, config, adjustable)
        self._began = time.monotonic()
        self.store.begin_trial(publication)
        log.info("configuration taken", extra={"fields": {"version": publication.short, "restart": restarts}})
        if restarts:
            self.restart()
            return
        before = Filters(lambda: self.config.filter_options)
        before.adopt(self.filters)
        self._undo = (self.config, before)
        if isinstance(self.source, Adjustable) and adjusts(self.config, config, adjustable):
            self._pending = self.source.adjust(other)
        self.filters.adopt(filters)
        self.config = config
        self._judge_trial()

    def _reject(self, publication: Publication, error: Fatal) -> None:
        reason = "; ".join(error.problems) if isinstance(error, WrongSettings) else str(error)
        log.error("configuration rejected", extra={"fields": {"version": publication.short, "why": reason}})
        self.store.reject(publication, reason)

    def _judge_trial(self) -> None:
        """Keep or roll back the bundle on trial, once that can be told."""
        if not self.store.trial:
            return
        over = time.monotonic() - self._began >= self.config.remote.trial_seconds
        if self._undo is not None:
            self._judge_change(over=over)
        elif over and self.contact() >= self._began:
            self._keep()
        elif over:
            self.store.roll_back(f"its source gave no sign in {self.config.remote.trial_seconds:g} s")
            log.error("configuration rolled back", extra={"fields": {"why": "no sign of the source"}})
            self.restart()

    def _judge_change(self, *, over: bool) -> None:
        """Of a bundle that was applied without a restart: whether the source has taken its part over."""
        error: BaseException | None = None
        if self._pending is not None:
            if not self._pending.done() and not over:
                return
            error = self._pending.exception() if self._pending.done() else TimeoutError("the network did not take it")
        if error is None:
            self._keep()
            return
        assert self._undo is not None  # noqa: S101 asked by `_judge_trial` alone
        config, filters = self._undo
        restart = self._pending is not None and not self._pending.done()  # else it might still be taken over
        self.filters.adopt(filters)
        self.config = config
        self._undo = self._pending = None
        self.store.roll_back(str(error))
        log.error("configuration rolled back", extra={"fields": {"why": str(error)}})
        if restart:
            self.restart()

    def _keep(self) -> None:
        self._undo = self._pending = None
        self.store.keep()
        version = self.store.active.text if self.store.active else ""
        log.info("configuration kept", extra={"fields": {"version": version}})
