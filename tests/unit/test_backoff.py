"""How often a network may be called, and how much is remembered of it."""

from postrank.sources.backoff import Limit
from postrank.sources.bluesky.handles import Handles
from postrank.sources.x.reconnecting import Reconnecting


def test_a_limit_is_free_until_it_is_used_up_and_then_makes_one_wait_for_the_oldest_call() -> None:
    limit = Limit(3, 900.0)
    for _ in range(3):
        assert limit.due() == 0.0
        limit.note()
    assert 890.0 < limit.due() <= 900.0
    spent = Limit(1, 0.0)
    spent.note()
    assert spent.due() == 0.0


def test_x_is_connected_to_at_most_fifty_times_in_a_quarter_of_an_hour() -> None:
    ways = Reconnecting()
    for _ in range(50):
        assert ways.connections.due() == 0.0
        ways.connections.note()
    assert ways.connections.due() > 800.0


def test_handles_are_remembered_up_to_a_bound_and_those_in_use_stay() -> None:
    handles = Handles(directory="", capacity=2)
    handles.learn("did:plc:a", "a.example")
    handles.learn("did:plc:b", "b.example")
    assert handles.of("did:plc:a") == "a.example"
    handles.learn("did:plc:c", "c.example")
    assert len(handles) == 2
    assert handles.of("did:plc:b") is None
    assert handles.of("did:plc:a") == "a.example"
    handles.learn("did:plc:a", None)
    assert handles.of("did:plc:a") is None
