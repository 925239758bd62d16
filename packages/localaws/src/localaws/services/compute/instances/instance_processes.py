"""The processes of an instance, whoever their parent is: those whose environment names the instance's folder."""

import contextlib
import os
from pathlib import Path

import psutil

MARK = "LOCALAWS_INSTANCE_FOLDER"


def of(folder: Path) -> list[psutil.Process]:
    """Processes of this user that belong to the instance of `folder`, or to any instance below it."""
    processes = []
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error, OSError):
            if process.pid != os.getpid() and process.uids().real == os.getuid():
                mark = process.environ().get(MARK)
                if mark and Path(mark).is_relative_to(folder):
                    processes.append(process)
    return processes


def end(folder: Path, patience: float = 0.0) -> int:
    """End them: asked first when there is patience (seconds), then killed. Returns how many there were."""
    processes = of(folder)
    waiting = processes
    if processes and patience:
        for process in processes:
            with contextlib.suppress(psutil.NoSuchProcess):
                process.terminate()
        waiting = psutil.wait_procs(processes, timeout=patience)[1]
    while waiting:
        for process in waiting:
            with contextlib.suppress(psutil.NoSuchProcess):
                process.kill()
        psutil.wait_procs(waiting, timeout=5)
        waiting = of(folder)
    return len(processes)
