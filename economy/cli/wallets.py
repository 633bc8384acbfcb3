"""``economy wallet`` and ``economy pool``: Credits bought, and keys contributed."""

from __future__ import annotations

from typing import Annotated, Any
from uuid import uuid4

import typer

from economy.cli.common import AsOption, HomeOption, JsonOption, answer, open_economy, table
from economy.units import END_OF_TIME_US, credits_text, instant_text, parse_usd, usd_text
from economy.views.wallets import lot_rows

RequestKey = Annotated[
    str | None,
    typer.Option(help="Name of the request; repeated with the same name it happens once."),
]


def register(app: typer.Typer) -> None:
    wallet = typer.Typer(no_args_is_help=True, help="Customers' Credits.")
    wallet.command("show")(show_wallet)
    wallet.command("top-up")(top_up)
    app.add_typer(wallet, name="wallet")
    pool = typer.Typer(no_args_is_help=True, help="Contributed provider keys.")
    pool.command("contribute")(contribute)
    pool.command("list")(list_keys)
    app.add_typer(pool, name="pool")


def show_wallet(
    customer: Annotated[str, typer.Argument(help="Whose wallet.")],
    lots: Annotated[bool, typer.Option("--lots", help="Lot by lot, with basis.")] = False,
    home: HomeOption = None,
    as_name: AsOption = None,
    as_json: JsonOption = False,
) -> None:
    """A customer's balance, by origin or lot by lot."""
    economy, actor = open_economy(home, as_name)
    rows = lot_rows(economy, actor, customer)
    balance = sum(row.available_ucr for row in rows)
    held = sum(row.held_ucr for row in rows)
    document: dict[str, Any] = {
        "customer": customer,
        "balance_ucr": balance,
        "held_ucr": held,
        "by_origin_ucr": {
            origin: sum(row.available_ucr for row in rows if row.origin == origin)
            for origin in sorted({row.origin for row in rows})
        },
    }
    if lots:
        document["lots"] = [
            {
                "account": row.account,
                "origin": row.origin,
                "available_ucr": row.available_ucr,
                "held_ucr": row.held_ucr,
                "spent_ucr": row.spent_ucr,
                "basis_nusd_per_ucr": str(row.basis),
                "expires": instant_text(row.expires_us),
            }
            for row in rows
        ]

    def show(out: Any) -> None:
        out.print(
            f"{customer}: {credits_text(balance)} Cr, {credits_text(held)} Cr held", markup=False
        )
        cells = [
            (
                row.origin,
                credits_text(row.available_ucr),
                credits_text(row.held_ucr),
                credits_text(row.spent_ucr),
                *((str(row.basis), row.account) if lots else ()),
                "never" if row.expires_us >= END_OF_TIME_US else instant_text(row.expires_us),
            )
            for row in rows
        ]
        extra = (">basis nusd/ucr", "account") if lots else ()
        out.print(table("", ("origin", ">left", ">held", ">spent", *extra, "expires"), cells))

    answer(as_json, document, show)


def top_up(
    customer: Annotated[str, typer.Argument(help="Who buys.")],
    pack: Annotated[str, typer.Argument(help="A pack of the policy, such as starter.")],
    request_key: RequestKey = None,
    home: HomeOption = None,
    as_name: AsOption = None,
    as_json: JsonOption = False,
) -> None:
    """Sell a pack of Credits."""
    economy, actor = open_economy(home, as_name)
    sold = economy.top_up(actor, customer, pack, request_key=request_key or f"cli:{uuid4()}")
    document = {
        "top_up_id": sold.top_up_id,
        "customer": customer,
        "pack": sold.pack,
        "paid_nusd": sold.paid_nusd,
        "credits_ucr": sold.credits_ucr,
        "repeated": sold.repeated,
    }
    answer(
        as_json,
        document,
        lambda out: out.print(
            f"{customer} bought {credits_text(sold.credits_ucr)} Cr for "
            f"${usd_text(sold.paid_nusd)}" + (" (already done before)." if sold.repeated else "."),
            markup=False,
        ),
    )


def contribute(
    owner: Annotated[str, typer.Argument(help="The customer who brings the key.")],
    model: Annotated[str, typer.Option(help="The model that it is valued on.")],
    quota_usd: Annotated[str, typer.Option(help="The provider quota of the key, in dollars.")],
    request_key: RequestKey = None,
    home: HomeOption = None,
    as_name: AsOption = None,
    as_json: JsonOption = False,
) -> None:
    """Take a key into the pool, valued by the rules from its stated quota."""
    economy, actor = open_economy(home, as_name)
    key = economy.contribute(
        actor,
        owner,
        model,
        quota_nusd=parse_usd(quota_usd, "--quota-usd"),
        request_key=request_key or f"cli:{uuid4()}",
    )
    answer(
        as_json,
        _key_document(key),
        lambda out: out.print(
            f"{key.name}: ${usd_text(key.quota_nusd)} of {key.provider} quota is "
            f"{credits_text(key.capacity_ucr)} Cr; the owner's share is "
            f"{credits_text(key.share_ucr)} Cr ({key.scheme}), the fee "
            f"{credits_text(key.fee_ucr)} Cr.",
            markup=False,
        ),
    )


def list_keys(
    home: HomeOption = None, as_name: AsOption = None, as_json: JsonOption = False
) -> None:
    """Contributed keys and what is left of them."""
    economy, _ = open_economy(home, as_name)
    keys = economy.pool_keys()
    answer(
        as_json,
        {"keys": [_key_document(key) for key in keys]},
        lambda out: out.print(
            table(
                "",
                ("key", "provider", "valued on", "scheme", ">quota $", ">left $", ">capacity Cr"),
                [
                    (
                        key.name,
                        key.provider,
                        key.valued_on,
                        key.scheme,
                        usd_text(key.quota_nusd),
                        usd_text(key.left_nusd),
                        credits_text(key.capacity_ucr - key.relieved_ucr),
                    )
                    for key in keys
                ],
            )
        ),
    )


def _key_document(key: Any) -> dict[str, Any]:
    return {
        "key": key.name,
        "owner_id": key.owner_id,
        "provider": key.provider,
        "valued_on": key.valued_on,
        "scheme": key.scheme,
        "quota_nusd": key.quota_nusd,
        "left_nusd": key.left_nusd,
        "capacity_ucr": key.capacity_ucr,
        "relieved_ucr": key.relieved_ucr,
        "share_ucr": key.share_ucr,
        "fee_ucr": key.fee_ucr,
    }
