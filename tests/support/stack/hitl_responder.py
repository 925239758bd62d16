"""Answers the first question that a run asks of a human, as Airflow's page Required Actions does: in its own process.

Run as `python -m tests.support.stack.hitl_responder Approve` with the environment of the Airflow that asks.
"""

import sys
import time

from airflow._shared.timezones import timezone
from airflow.models.hitl import HITLDetail, HITLUser
from airflow.models.taskinstance import TaskInstance
from airflow.models.trigger import handle_event_submit
from airflow.triggers.base import TriggerEvent
from airflow.utils.session import create_session
from airflow.utils.state import TaskInstanceState
from sqlalchemy import select
from sqlalchemy.exc import OperationalError


def answered(choice: str) -> bool:
    """Whether a question was there, and is answered now."""
    with create_session() as session:
        asked = session.scalars(select(HITLDetail).where(HITLDetail.responded_at.is_(None))).first()
        ti = asked and session.get(TaskInstance, asked.ti_id)
        if not asked or not ti or ti.state != TaskInstanceState.AWAITING_INPUT:
            return False
        asked.responded_by, asked.responded_at = HITLUser(id="7", name="a human"), timezone.utcnow()
        asked.chosen_options, asked.params_input = [choice], {}
        event = TriggerEvent(asked.as_resume_event_payload())
        handle_event_submit(event, task_instance=ti, session=session)
    return True


def main(choice: str) -> None:
    while True:
        try:
            if answered(choice):
                return
        except OperationalError:  # SQLite is held by the run: ask again
            pass
        time.sleep(0.5)


if __name__ == "__main__":
    main(sys.argv[1])
