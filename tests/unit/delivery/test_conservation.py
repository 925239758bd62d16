"""The account of original JSON, in words."""

from postrank.delivery.conservation import account_of_originals


def test_every_original_is_delivered_waits_or_was_counted_away() -> None:
    counts = {"originals": 10, "originals_waiting": 3, "originals_too_large": 1, "originals_left_out": 2}
    assert account_of_originals(counts) == "original JSON 13 = delivered 7 + waiting 3 + too large 1 + left out 2"
    assert account_of_originals({"read": 5}) == ""
