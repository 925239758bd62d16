"""The app as a process of its own, on a warehouse, as `make run` and the image start it."""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx

from localaws.testing.waiting import wait_for
from postrank.laptop.setup.ports import any_free
from postrank.warehouse.connection import Login, Server

MAIN = Path(__file__).resolve().parents[3] / "app" / "main.py"


def warehouse_environment(server: Server, login: Login) -> dict[str, str]:
    """The variables that name a warehouse."""
    return {
        "POSTRANK_WAREHOUSE_HOST": server.host,
        "POSTRANK_WAREHOUSE_PORT": str(server.port),
        "POSTRANK_WAREHOUSE_DATABASE": server.database,
        "POSTRANK_WAREHOUSE_USER": login.user,
        "PGPASSWORD": login.password,
    }


@contextmanager
def app_server(environment: dict[str, str], log: Path) -> Iterator[str]:
    """Run the app; yields its address."""
    port = any_free()
    argv = [sys.executable, "-m", "streamlit", "run", str(MAIN), "--server.port", str(port)]
    others = {name: value for name, value in os.environ.items() if not name.startswith("POSTRANK_WAREHOUSE_")}
    with log.open("wb") as file:
        process = subprocess.Popen(argv, env={**others, **environment}, stdout=file, stderr=subprocess.STDOUT)
    address = f"http://127.0.0.1:{port}"

    def healthy() -> bool:
        assert process.poll() is None, log.read_text()
        try:
            return httpx.get(f"{address}/_stcore/health", trust_env=False).status_code == 200
        except httpx.TransportError:
            return False

    try:
        wait_for(healthy, timeout=60, what="the app")
        yield address
    finally:
        process.terminate()
        process.wait(30)
