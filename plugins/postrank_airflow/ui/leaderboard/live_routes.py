"""The live board in the JSON API: who wrote most in the newest 60 seconds, from the warehouse."""

import threading
import time
from collections.abc import Callable
from typing import Annotated

import orjson
from fastapi import APIRouter, HTTPException, Query, Response
from fastapi.responses import JSONResponse

from postrank.documents import Document
from postrank.errors import PostrankError
from postrank.ranking.request import NETWORK_PATTERN

Board = Callable[[str], dict[str, list[Document]] | None]
_SHARED_SECONDS = 2.0  # that readers share an answer, so that many pages are one query
_NETWORKS = 50  # answers that are kept

_Network = Annotated[str, Query(pattern=f"^$|{NETWORK_PATTERN}", description="only authors of this network")]


def no_board(_network: str) -> None:
    """The board of an installation without a warehouse."""


def router(board: Board) -> APIRouter:
    """The route over a board."""
    routes = APIRouter()
    answers = _Answers(board)

    @routes.get("/live")
    def live(network: _Network = "") -> Response:
        """Who wrote most in the newest 60 seconds of each network; the API answers 404 without a warehouse."""
        try:
            document = answers.get(network)
        except PostrankError as error:
            return JSONResponse({"detail": str(error), "code": "warehouse_away"}, 503)
        if document is None:
            raise HTTPException(404, "there is no warehouse: no connection postrank_warehouse")
        return Response(orjson.dumps(document), media_type="application/json", headers={"Cache-Control": "no-store"})

    return routes


class _Answers:
    """The newest answer of each network."""

    def __init__(self, board: Board) -> None:
        self._board = board
        self._newest: dict[str, tuple[float, dict[str, list[Document]] | None]] = {}
        self._turn = threading.Lock()

    def get(self, network: str) -> dict[str, list[Document]] | None:
        with self._turn:
            at, document = self._newest.get(network, (0.0, None))
            if document is None or time.monotonic() - at > _SHARED_SECONDS:
                document = self._board(network)
                if len(self._newest) >= _NETWORKS:
                    self._newest.clear()
                self._newest[network] = (time.monotonic(), document)
            return document
