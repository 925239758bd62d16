"""X's events of users who left, in both versions of the API: their posts are no longer public.

X Developer Platform, "Compliance Data Objects": posts of such a user are to be suppressed or deleted. What undoes
it ("user_undelete") brings none back, since the lake has let them go by then.
"""

from typing import Any

from postrank.posts.events import Malformed, Tombstone
from postrank.posts.times import instant

GONE = frozenset({"user_delete", "user_protect", "user_suspend"})


def gone(event: Any) -> Tombstone | Malformed:
    """The tombstone of all posts of a user, from the body of one of GONE in either version of the API."""
    try:
        user = event.get("user") or event
        at = event.get("event_at")
        user_id = user.get("id_str") or user.get("user_id_str") or user["id"]
        if not (type(user_id) is str or type(user_id) is int) or not str(user_id):
            raise TypeError("id is neither text nor number")
        return Tombstone.of_author("x", str(user_id), None if at is None else instant(at, "event_at"))
    except (KeyError, TypeError, AttributeError) as error:
        where = f"{error.args[0]} is missing" if isinstance(error, KeyError) else str(error)
        return Malformed(f"no event of a user: {where}")
