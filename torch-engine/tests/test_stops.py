"""Stop strings are found in the bytes of tokens, wherever tokens end."""

import numpy as np

from whetstone_engine.stops import StopStrings

TABLE = [b"a", b"b", b"ab", b"\xe2\x82", b"\xac", b"xyz", b""]


def first_stop(texts: list[str], tokens: list[int]) -> int | None:
    """How many tokens were written when a stop string was complete."""
    stops = StopStrings(tuple(text.encode() for text in texts), TABLE)
    for count, token in enumerate(tokens, 1):
        if stops.completed(np.array([4]), np.array([token]), np.array([True]))[0]:
            return count
    return None


def test_a_string_may_lie_across_tokens_within_one_and_end_inside_one():
    assert first_stop(["ab"], [0, 0, 1, 0]) == 3
    assert first_stop(["ab"], [1, 2]) == 2
    assert first_stop(["y"], [0, 5]) == 2
    assert first_stop(["abxy"], [0, 1, 5]) == 3
    assert first_stop(["aab"], [0, 0, 0, 1]) == 4
    assert first_stop(["ba"], [0, 1, 1]) is None


def test_a_character_may_be_cut_in_two():
    assert first_stop(["€"], [0, 3, 4]) == 3
    assert first_stop(["€"], [3, 0, 4]) is None


def test_the_first_of_several_counts_and_tokens_without_bytes_change_nothing():
    assert first_stop(["zz", "ba", "xyzx"], [5, 6, 5, 1, 0]) == 3
    assert first_stop(["ab"], [0, 6, 1]) == 3
    assert first_stop(["ab"], [0, 99, 1]) == 3


def test_a_string_is_not_found_twice_or_by_another_row():
    stops = StopStrings((b"ab",), TABLE)
    rows = np.array([0, 9])
    assert stops.completed(rows, np.array([0, 1]), np.array([True, True])).tolist() == [False, False]
    assert stops.completed(rows, np.array([1, 1]), np.array([True, True])).tolist() == [True, False]
    # Row 0 is done; row 9 goes on alone.
    assert stops.completed(rows, np.array([1, 0]), np.array([False, True])).tolist() == [False, False]
    assert stops.completed(rows[1:], np.array([1]), np.array([True])).tolist() == [True]
