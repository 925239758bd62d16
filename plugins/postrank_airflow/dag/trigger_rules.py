"""What a run is triggered with, checked as a whole: rules over several params, which a schema of each cannot hold."""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any

from airflow.sdk import Param
from airflow.sdk.definitions.param import ParamsDict
from airflow.sdk.exceptions import ParamValidationError

from postrank.documents import JsonObject
from postrank.gaps.request import RecoveryRequest
from postrank.ranking.request import BadRequest, RankingRequest
from postrank.trends.hashtags import hour_of
from postrank_airflow.dag.params import BACKFILL_PARAMS, RANKING_PARAMS, TRENDS_PARAMS

_RULES: Mapping[str, tuple[Mapping[str, Param], Callable[[JsonObject], object]]] = {
    "rank_authors": (RANKING_PARAMS, RankingRequest.of),
    "backfill_posts": (BACKFILL_PARAMS, lambda params: RecoveryRequest.of(params, datetime.now(UTC))),
    "trending_topics": (TRENDS_PARAMS, lambda params: params["hour"] and hour_of(params["hour"])),
}


def refusal(dag_id: Any, conf: Any) -> str | None:
    """Why a run of a DAG may not be triggered with `conf`; None where it may, or where Airflow itself says why not."""
    if not isinstance(dag_id, str) or dag_id not in _RULES or not isinstance(conf, dict | None):
        return None
    names, rule = _RULES[dag_id]
    params = ParamsDict({name: param.__copy__() for name, param in names.items()})
    try:
        params.update({name: value for name, value in (conf or {}).items() if name in names})
        rule(params.validate())
    except ParamValidationError:
        return None
    except BadRequest as error:
        return str(error)
    return None
