"""What a collector is called on AWS."""

from postrank.aws.resources import MAIN, Resources

NAMES = Resources.of("prod", "123456789012", "eu-central-1")


def test_main_has_the_names_of_an_environment_with_one_source() -> None:
    assert NAMES.of_collector(MAIN) is NAMES
    assert NAMES.keys["heartbeat"] == "state/streamer/heartbeat.json"
    assert NAMES.keys["supervision"] == "state/supervision.json"
    assert NAMES.streamer.name == "postrank-prod-streamer"


def test_another_collector_has_its_own_host_service_heartbeat_and_marker() -> None:
    names = NAMES.of_collector("x-brands")
    assert (names.streamer.name, names.streamer.service) == (
        "postrank-prod-streamer-x-brands",
        "postrank-streamer-x-brands",
    )
    own = {key: value for key, value in names.keys.items() if value != NAMES.keys[key]}
    assert own == {
        "heartbeat": "state/streamer/x-brands/heartbeat.json",
        "deploy_marker": "state/streamer/x-brands/deploying.json",
        "supervision": "state/supervision/x-brands.json",
    }
    assert (names.buckets, names.streams, names.region) == (NAMES.buckets, NAMES.streams, NAMES.region)
    assert names.of_collector(MAIN) == NAMES
    assert names.of_collector("b") == NAMES.of_collector("b")
