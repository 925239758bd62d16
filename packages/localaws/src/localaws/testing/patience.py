"""How long tests wait for what must come: one factor for all of them.

Deadlines in the tests say what a machine needs that is busy with nothing else. A slow or loaded one gets `PATIENCE`
times as long; a condition that comes costs no more time for it. Waits that show that something does not happen are not
stretched: they take their time in each run.
"""

import os

PATIENCE = float(os.environ.get("TEST_PATIENCE", "6"))


def patient(seconds: float) -> float:
    """A deadline in seconds, as long as this machine may need."""
    return seconds * PATIENCE
