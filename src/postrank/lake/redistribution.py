"""What of a network's posts may be passed on to others: of X, the ids alone.

X's Developer Policy ("Content redistribution") allows ids of posts and users to be given to third parties, who fetch
the posts themselves; contents stay with those who read them from X. The other networks have no such rule.
"""

from collections.abc import Collection

from postrank.documents import Document, JsonObject

IDS_ONLY = {"x": "X's Developer Policy, Content redistribution"}  # by network: the terms
IDS = ("network", "post_id", "author_id")


def passed_on(row: JsonObject, with_content: Collection[str] = ()) -> Document:
    """A post's row as it may be passed on: without contents, if its network's terms say so.

    `with_content` names networks whose contents the reader keeps to himself.
    """
    network = row["network"]
    if network not in IDS_ONLY or network in with_content:
        return dict(row)
    return {name: value if name in IDS else None for name, value in row.items()}
