"""The options that the stream and the search share: the token, the host, the budget."""

from postrank.options import Options, Secret
from postrank.sources import Surroundings
from postrank.sources.x.api import HOST, Api
from postrank.sources.x.budget import Spend

PRICE = 0.005  # US dollars for a post read (X API, "Pricing")
CAP = 3_000_000  # posts in a month that X gives to one project (X API, "Pricing")


def api_of(options: Options, surroundings: Surroundings) -> tuple[Secret, str, Api]:
    """The token, the host and the client that uses both. Raises nothing: problems are noted in the options."""
    token = options.secret("bearer_token")
    host = options.url("host", HOST)
    api = Api(token, host, metrics=options.flag("metrics", False), places=options.flag("places", False))
    api.keeps_originals = surroundings.keeps_originals
    return token, host, api


def spend_of(options: Options, surroundings: Surroundings) -> Spend:
    """The guard; its counts are kept beside the source's other state."""
    spend = Spend(
        path=surroundings.state / "spend.json",
        price=options.number("price", PRICE, at_least=1e-9),
        daily=options.number("daily_budget"),
        monthly=options.number("monthly_budget"),
        cap=options.whole("monthly_posts", CAP),
        margin=options.whole("margin", 250),
    )
    if 0 < spend.cap <= spend.margin:
        options.wrong("margin", f"of {spend.margin} posts leaves nothing of the {spend.cap} posts of a month")
    if 0 < spend.daily <= spend.margin * spend.price:
        why = f"of {spend.margin} posts at ${spend.price:g} leaves nothing of the daily ${spend.daily:g}"
        options.wrong("margin", f"{why}: lower margin, or raise daily_budget")
    return spend
