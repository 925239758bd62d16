"""The two families of errors: what may be tried again, and what a person must fix first.

The message carries the facts (what, where, what to do), the exception carries them as fields. Neither ever carries a
secret.
"""


class PostrankError(Exception):
    """Anything that Postrank raises on purpose."""


class Retryable(PostrankError):
    """It may succeed later as it is: a network that is away, a service that throttles."""


class Fatal(PostrankError):
    """It fails again until somebody changes something: a wrong setting, a missing file, a refused token."""
