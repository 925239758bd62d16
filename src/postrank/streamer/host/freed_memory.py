"""Giving freed memory back to the system.

Arrays that grow leave holes in the C library's heap; glibc keeps them for itself until it is asked (malloc_trim(3)).
At a million authors that is half of the streamer's resident memory.
"""

import ctypes

SECONDS = 60.0  # between two times; one takes a few milliseconds


def give_back() -> None:
    """Return what can be returned; where the C library has no malloc_trim, nothing happens."""
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
    if trim is not None:
        trim(0)
