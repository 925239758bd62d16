"""Running a streamer on a host: built anew for a configuration that needs it, or for the one before when that fails."""

import logging
from collections.abc import Callable, Mapping
from pathlib import Path

from postrank.errors import PostrankError, Retryable
from postrank.streamer.assembly import Hosted, build
from postrank.streamer.bundle_changes import configured
from postrank.streamer.config import Config
from postrank.streamer.host.bundle_store import BundleStore
from postrank.streamer.host.folder_claim import StateTaken
from postrank.streamer.service import Service

log = logging.getLogger(__name__)


def run_hosted(base: Config, environ: Mapping[str, str], prepare: Callable[[Service], object]) -> None:
    """Run the streamer of a host's file, or of the bundle that replaced it, until it ends or is stopped.

    `prepare` gets each service before it runs. Raises what `build` and `Service.run` raise, unless a bundle on trial
    is to blame: that is rolled back.
    """
    if base.problems or not base.remote.seconds:
        service = build(base, environ)
        prepare(service)
        service.run()
        return
    hosted = Hosted(base, BundleStore.of(base.state))
    if hosted.store.note_start():
        _roll_back(hosted.store, "the streamer ended again and again")
    while _run_once(hosted, environ, prepare):
        log.info("starting anew", extra={"fields": {"configuration": hosted.store.report()}})


def _run_once(hosted: Hosted, environ: Mapping[str, str], prepare: Callable[[Service], object]) -> bool:
    """Run one configuration; whether another is to be run after it."""
    service: Service | None = None
    try:
        service = build(_config(hosted, environ), environ, hosted)
        prepare(service)
        service.run()
    except Exception as error:
        # What a supervisor's next start may cure, and another streamer's state, are not the bundle's doing.
        elsewhere = isinstance(error, StateTaken) or (service is None and isinstance(error, Retryable))
        if elsewhere or not hosted.store.trial:
            raise
        reason = str(error) if isinstance(error, PostrankError) else f"{type(error).__name__}: {error}"
        _roll_back(hosted.store, reason)
        return True
    return service.restarting


def _config(hosted: Hosted, environ: Mapping[str, str]) -> Config:
    """The configuration of the active bundle, or else of the host's file, read anew."""
    folder: Path | None = hosted.store.active_folder
    return hosted.base if folder is None else configured(hosted.base, folder, environ)


def _roll_back(store: BundleStore, reason: str) -> None:
    log.error("configuration rolled back", extra={"fields": {"why": reason}})
    store.roll_back(reason)
