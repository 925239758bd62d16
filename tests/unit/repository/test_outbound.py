"""One place decides on proxies and certificates: nothing else connects by a library's own defaults."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]
DECIDES = ("src/postrank/outbound/connections.py",)
# What connects, and the argument by which it shows that its route was decided.
CONNECTS = {
    **{f"httpx.{name}": "trust_env" for name in ("Client", "AsyncClient", "get", "post", "put", "request", "stream")},
    "connect": "proxy",  # of websockets
    "websockets.connect": "proxy",
}
NEVER = ("requests.get", "requests.post", "requests.Session", "urllib.request.urlopen", "urlopen", "boto3.client")


def calls(path: Path) -> Iterator[tuple[str, set[str | None], int]]:
    """The calls of a file by the name that stands there, with their keywords and line."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Call):
            yield ast.unparse(node.func), {keyword.arg for keyword in node.keywords}, node.lineno


@pytest.mark.parametrize("folder", ["src/postrank", "plugins", "dags"])
def test_every_connection_is_routed(folder: str) -> None:
    wrong = []
    for path in sorted((ROOT / folder).rglob("*.py")):
        name = str(path.relative_to(ROOT))
        websockets = "websockets" in path.read_text(encoding="utf-8")
        for function, keywords, line in calls(path):
            needed = CONNECTS.get(function)
            if function == "connect" and not websockets:
                continue
            if function in NEVER or (needed and needed not in keywords):
                wrong.append(f"{name}:{line} {function}")
    assert not [place for place in wrong if not place.startswith(DECIDES)], (
        "use postrank.outbound, or trust_env=False for a server of this machine"
    )
