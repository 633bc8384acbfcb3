"""``economy models`` and ``economy costs``: what can be asked for, and what it costs us."""

from __future__ import annotations

from fractions import Fraction
from typing import Annotated, Any

import typer

from economy.cli.common import AsOption, HomeOption, JsonOption, answer, open_economy, table
from economy.errors import NotFound
from economy.units import credits_text, instant_text, usd_text
from economy.views.receipts import exact_credits


def register(app: typer.Typer) -> None:
    models = typer.Typer(no_args_is_help=True, help="Models that have a price.")
    models.command("list")(list_models)
    app.add_typer(models, name="models")
    costs = typer.Typer(no_args_is_help=True, help="The cost book: what providers charge.")
    costs.command("list")(list_costs)
    costs.command("history")(cost_history)
    app.add_typer(costs, name="costs")


def list_models(
    home: HomeOption = None, as_name: AsOption = None, as_json: JsonOption = False
) -> None:
    """Every model of the sheet in force, with its prices in Credits."""
    economy, _ = open_economy(home, as_name)
    epoch = economy.price_book().sheet_at(economy.clock.now_us())
    _, costs = economy.cost_book()
    lines = [(costs.provider(line.model) or "", line) for line in epoch.sheet.lines]
    document = {
        "sheet_version": epoch.version,
        "models": [
            {
                "model": line.model,
                "provider": provider,
                "prices_ucr": line.prices_ucr,
                "increment_ucr": line.increment_ucr,
                "direction": line.direction,
            }
            for provider, line in lines
        ],
    }
    rows = [
        (line.model, provider, prices_text(line.prices_ucr), credits_text(line.increment_ucr))
        for provider, line in lines
    ]
    columns = ("model", "provider", "Credits per 1K tokens, minute, image, request", ">rounded to")
    answer(as_json, document, lambda out: out.print(table("", columns, rows)))


def list_costs(
    home: HomeOption = None, as_name: AsOption = None, as_json: JsonOption = False
) -> None:
    """Providers' prices now, of the models that we sell."""
    economy, _ = open_economy(home, as_name)
    version, costs = economy.cost_book()
    now_us = economy.clock.now_us()
    sold = economy.price_book().models()
    entries = [entry for model in sold if (entry := costs.at(model, now_us)) is not None]
    document = {"cost_version": version, "costs": [_entry(entry) for entry in entries]}
    rows = [(entry.model, entry.provider, _usd_text(entry.prices_nusd)) for entry in entries]
    columns = ("model", "provider", "$ per Mtok, minute, image, request")
    answer(as_json, document, lambda out: out.print(table("", columns, rows)))


def cost_history(
    model: Annotated[str, typer.Argument(help="A model of the cost book.")],
    home: HomeOption = None,
    as_name: AsOption = None,
    as_json: JsonOption = False,
) -> None:
    """Every dated price of one model, oldest first; future ones are announced."""
    economy, _ = open_economy(home, as_name)
    version, costs = economy.cost_book()
    name = economy.aliases().resolve(model, economy.clock.now_us()) or model
    entries = costs.history(name)
    if not entries:
        raise NotFound("the cost book does not know this model", field="model", value=model)
    document = {"cost_version": version, "costs": [_entry(entry) for entry in entries]}
    rows = [(instant_text(e.from_us), _usd_text(e.prices_nusd), e.source) for e in entries]
    columns = ("from", "$ per Mtok, minute, image, request", "source")
    answer(as_json, document, lambda out: out.print(table(name, columns, rows)))


def prices_text(prices_ucr: dict[str, int]) -> str:
    """A line's prices for a person: tokens per 1K, the rest per unit."""
    return ", ".join(f"{key} {price_text(key, price)}" for key, price in prices_ucr.items())


def price_text(key: str, price_ucr: int) -> str:
    """One price for a person: Credits per 1K tokens, minute, image or request."""
    per = 1 if key in ("audio", "image", "request") else 1_000
    return exact_credits(str(Fraction(price_ucr, per)))


def _usd_text(prices_nusd: dict[str, int]) -> str:
    return ", ".join(f"{key} {usd_text(price)}" for key, price in prices_nusd.items())


def _entry(entry: Any) -> dict[str, Any]:
    return {
        "model": entry.model,
        "provider": entry.provider,
        "from": instant_text(entry.from_us),
        "prices_nusd": dict(entry.prices_nusd),
        "tiers": [
            {"above_input_tokens": tier.above_input_tokens, "prices_nusd": dict(tier.prices_nusd)}
            for tier in entry.tiers
        ],
        "source": entry.source,
    }
