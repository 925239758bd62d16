"""The process of one function: `python -m localaws.core.function_process FILE` answers events until its input ends."""

import json
import os
import sys
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from runpy import run_path


@dataclass(frozen=True)
class Context:
    """The part of Lambda's context that identifies an invocation."""

    function_name: str = os.environ.get("AWS_LAMBDA_FUNCTION_NAME", "")
    aws_request_id: str = field(default_factory=lambda: str(uuid.uuid4()))


def main(path: str) -> None:
    """Answer each line of standard input. What the function prints goes to standard error."""
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    handler: Callable[[object, Context], object] | None = None
    for line in sys.stdin:
        try:
            handler = handler or run_path(path)["lambda_handler"]
            answer = json.dumps({"result": handler(json.loads(line), Context())})
        except Exception as error:  # whatever the function raises is its result
            answer = json.dumps({"error": f"{type(error).__name__}: {error}"})
        print(answer, file=answers, flush=True)


if __name__ == "__main__":
    main(sys.argv[1])
