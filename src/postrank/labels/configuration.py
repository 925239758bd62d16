"""What is to be labelled and counted: the JSON object of Airflow's variable `postrank_labels`."""

from dataclasses import dataclass

from postrank.documents import JsonObject
from postrank.labels.budgets import Budget, WordLimits
from postrank.options import Options

VARIABLE = "postrank_labels"
_MOST_SECONDS = 1500.0  # a task has half an hour


@dataclass(frozen=True, slots=True, kw_only=True)
class Configuration:
    """`model` is a name that the registry of models knows; None where nothing is labelled. `words` is None where no
    words are counted.
    """

    model: str | None
    options: JsonObject
    assumed_language: str | None
    budget: Budget
    words: WordLimits | None

    @classmethod
    def of(cls, document: JsonObject) -> "Configuration":
        """Read the variable. Raises WrongSettings."""
        options = Options(document, VARIABLE)
        configuration = cls(
            model=options.text("model") if options.optional("model") else None,
            options=_model_options(options),
            assumed_language=options.text("assumed_language") if options.optional("assumed_language") else None,
            budget=Budget(
                posts=options.whole("posts", Budget().posts, at_least=1),
                seconds=options.number("seconds", Budget().seconds, at_least=1.0, at_most=_MOST_SECONDS),
                batch=options.whole("batch", Budget().batch, at_least=1, at_most=100_000),
            ),
            words=_word_limits(options.table("words")) if options.optional("words") else None,
        )
        options.finish()
        return configuration


def _model_options(options: Options) -> JsonObject:
    value = options.is_set("options") or {}
    if not isinstance(value, dict):
        options.wrong("options", "must be a table")
        return {}
    return value


def _word_limits(table: Options) -> WordLimits:
    limits = WordLimits(
        least_posts=table.whole("least_posts", WordLimits().least_posts, at_least=1),
        most_words=table.whole("most_words", WordLimits().most_words, at_least=1),
        posts=table.whole("posts", WordLimits().posts, at_least=1),
        seconds=table.number("seconds", WordLimits().seconds, at_least=1.0, at_most=_MOST_SECONDS),
    )
    table.reject_unknown()
    return limits
