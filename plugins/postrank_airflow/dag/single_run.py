"""One run of a DAG in this process, without a scheduler: `python -m postrank_airflow.dag.single_run DAG [PARAMS]`.

It works on what AIRFLOW_HOME and AIRFLOW__CORE__DAGS_FOLDER name, as `airflow dags test` does, which cannot end a run
that has a deadline (apache/airflow#73428).
"""

import json
import sys

from airflow.dag_processing.dagbag import DagBag

from postrank.documents import JsonObject


def run_once(dag_id: str, params: JsonObject) -> str:
    """Run a DAG to its end and return the state of the run. Raises KeyError for a DAG that is not there."""
    dag = DagBag().dags[dag_id]
    dag.deadline = None
    return str(dag.test(run_conf=dict(params) or None).state)


def main(words: list[str]) -> int:
    """Run the DAG that is named, with params as a JSON object; returns the exit status, 0 for success."""
    if len(words) not in (1, 2):
        print("usage: python -m postrank_airflow.dag.single_run DAG [PARAMS]", file=sys.stderr)
        return 2
    state = run_once(words[0], json.loads(words[1]) if words[1:] else {})
    print(f"{words[0]}: {state}")
    return int(state != "success")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
