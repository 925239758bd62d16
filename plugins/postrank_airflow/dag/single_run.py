"""One run of a DAG in this process, without a scheduler: `python -m postrank_airflow.dag.single_run DAG`.

It works on what AIRFLOW_HOME and AIRFLOW__CORE__DAGS_FOLDER name, as `airflow dags test` does, which cannot end a run
that has a deadline (apache/airflow#73428).
"""

import sys

from airflow.dag_processing.dagbag import DagBag


def run_once(dag_id: str) -> str:
    """Run a DAG to its end and return the state of the run. Raises KeyError for a DAG that is not there."""
    dag = DagBag().dags[dag_id]
    dag.deadline = None
    return str(dag.test().state)


def main(words: list[str]) -> int:
    """Run the DAG that is named; returns the exit status, 0 for success."""
    if len(words) != 1:
        print("usage: python -m postrank_airflow.dag.single_run DAG", file=sys.stderr)
        return 2
    state = run_once(words[0])
    print(f"{words[0]}: {state}")
    return int(state != "success")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
