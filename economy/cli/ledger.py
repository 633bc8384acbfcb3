"""``economy ledger``: is it right, what stands where, and how did it get there."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from economy.cli.common import (
    FOUND,
    OK,
    AsOption,
    HomeOption,
    JsonOption,
    answer,
    open_economy,
    table,
)
from economy.errors import BadInput, existing
from economy.ledger import UnitCode
from economy.ledger.reading import HistoryRow
from economy.metering.tracing import Trace
from economy.units import credits_text, instant_text, usd_text


def register(app: typer.Typer) -> None:
    group = typer.Typer(no_args_is_help=True, help="The books.")
    group.command("verify")(verify)
    group.command("balance")(balance)
    group.command("history")(history)
    app.add_typer(group, name="ledger")


def verify(home: HomeOption = None, as_name: AsOption = None, as_json: JsonOption = False) -> None:
    """Recompute chain, balances, limits and what other rooms promise; exit 1 on a fault."""
    economy, _ = open_economy(home, as_name)
    report = economy.verify()
    document = {
        "ok": report.ok,
        "batches": report.batches,
        "transfers": report.transfers,
        "first_broken_seq": report.first_broken_seq,
        "faults": [
            {"seq": fault.seq, "law": fault.law, "detail": fault.detail} for fault in report.faults
        ],
        "totals": {
            total.unit.name: {
                f"debits_posted_{_suffix(total.unit)}": total.debits_posted,
                f"credits_posted_{_suffix(total.unit)}": total.credits_posted,
            }
            for total in report.totals
        },
    }

    def show(out: Any) -> None:
        out.print(
            f"{'The books balance' if report.ok else 'The books are broken'}: "
            f"{report.transfers:,} transfers in {report.batches:,} batches."
        )
        for fault in report.faults:
            place = f"at {fault.seq}: " if fault.seq is not None else ""
            out.print(f"{place}{fault.law}: {fault.detail}", markup=False)

    answer(as_json, document, show, OK if report.ok else FOUND)


def balance(
    account: Annotated[str, typer.Argument(help="An account such as clearing:usage.cr.")],
    home: HomeOption = None,
    as_name: AsOption = None,
    as_json: JsonOption = False,
) -> None:
    """The four totals of one account."""
    economy, _ = open_economy(home, as_name)
    for row in economy.trial_balance():
        if row.name == account:
            break
    else:
        raise BadInput("there is no such account", field="account", value=account)
    totals = row.balance
    suffix = _suffix(row.unit)
    document = {
        "account": account,
        **{
            f"{name}_{suffix}": getattr(totals, name)
            for name in ("debits_pending", "debits_posted", "credits_pending", "credits_posted")
        },
    }
    answer(
        as_json,
        document,
        lambda out: out.print(
            f"{account}: debits {_money(row.unit, totals.debits_posted)}, credits "
            f"{_money(row.unit, totals.credits_posted)}; pending "
            f"{_money(row.unit, totals.debits_pending)} and "
            f"{_money(row.unit, totals.credits_pending)}",
            markup=False,
        ),
    )


def history(
    account: Annotated[str | None, typer.Argument(help="An account.")] = None,
    event: Annotated[
        str | None, typer.Option(help="An event id: a request from its hold to its settlement.")
    ] = None,
    source: Annotated[str | None, typer.Option(help="Where the event came from.")] = None,
    limit: Annotated[int, typer.Option(min=1, max=100_000)] = 100,
    after: Annotated[int, typer.Option(help="Only transfers after this number.")] = 0,
    home: HomeOption = None,
    as_name: AsOption = None,
    as_json: JsonOption = False,
) -> None:
    """Transfers on an account, or all that one request moved."""
    if (account is None) == (event is None):
        raise BadInput(
            "name an account or an event",
            way_out="economy ledger history ACCOUNT, or economy ledger history --event ID",
        )
    economy, _ = open_economy(home, as_name)
    if event is not None:
        found = economy.trace(event, source)
        answer(as_json, _trace_document(found), lambda out: _show_trace(out, found))
        return
    account = existing(account, "without an event there is an account")
    rows = economy.history(account, limit=limit, after_seq=after)
    answer(
        as_json,
        {"account": account, "transfers": [_row_document(row) for row in rows]},
        lambda out: out.print(_rows_table(account, rows)),
    )


def _trace_document(found: Trace) -> dict[str, Any]:
    charge = found.charge
    hold = found.hold
    return {
        "source": found.source,
        "event_id": found.event_id,
        "hold": None
        if hold is None
        else {
            "hold_id": hold.hold_id,
            "amount_ucr": hold.amount_ucr,
            "state": hold.state.name.lower(),
            "authorised": instant_text(hold.authorised_us),
            "expires": instant_text(hold.expires_us),
            "sheet_version": hold.sheet_version,
            "cost_version": hold.cost_version,
        },
        "transfers": [_row_document(row) for row in found.transfers],
        "charge": None
        if charge is None
        else {
            "charge_id": charge.charge_id,
            "customer": charge.customer,
            "model": charge.model,
            "provider": charge.provider,
            "key": charge.key,
            "status": charge.status.name.lower(),
            "time": instant_text(charge.effective_us),
            "quantities": {name: n for name, n in charge.quantities.items() if n},
            "unrounded_ucr": charge.unrounded_ucr,
            "charge_ucr": charge.charge_ucr,
            "rounding_ucr": charge.rounding_ucr,
            "basis_usage_nusd": charge.basis_usage_nusd,
            "basis_rounding_nusd": charge.basis_rounding_nusd,
            "list_cost_nusd": charge.list_cost_nusd,
            "paid_cost_nusd": charge.paid_cost_nusd,
            "sheet_version": charge.sheet_version,
            "cost_version": charge.cost_version,
        },
        "platform_legs": [_row_document(row) for row in found.platform_legs],
    }


def _show_trace(out: Any, found: Trace) -> None:
    out.print(_rows_table(f"Request {found.event_id} of {found.source}", found.transfers))
    if found.charge is not None:
        charge = found.charge
        used = ", ".join(f"{n:,} {name}" for name, n in charge.quantities.items() if n)
        out.print(
            f"{charge.status.name.lower()}: {used} on {charge.model} for {charge.customer}: "
            f"{credits_text(charge.charge_ucr)} Cr ({credits_text(charge.unrounded_ucr)} + "
            f"{credits_text(charge.rounding_ucr)} rounding); list cost "
            f"${usd_text(charge.list_cost_nusd)}, paid out ${usd_text(charge.paid_cost_nusd)}"
            + (f" on {charge.key}" if charge.key else ""),
            markup=False,
        )
    if found.platform_legs:
        out.print(_rows_table("Platform legs of its batch (sums)", found.platform_legs))


def _rows_table(title: str, rows: list[HistoryRow]) -> Any:
    return table(
        title,
        (">seq", "time", "kind", "debit", "credit", ">amount"),
        [
            (
                row.seq,
                instant_text(row.effective_us),
                row.code.name.lower(),
                row.debit,
                row.credit,
                _money(row.unit, row.amount),
            )
            for row in rows
        ],
    )


def _row_document(row: HistoryRow) -> dict[str, Any]:
    return {
        "seq": row.seq,
        "batch": row.batch,
        "effective": instant_text(row.effective_us),
        "recorded": instant_text(row.recorded_us),
        "kind": row.code.name.lower(),
        "debit": row.debit,
        "credit": row.credit,
        f"amount_{_suffix(row.unit)}": row.amount,
        "reference": row.reference,
    }


def _suffix(unit: UnitCode) -> str:
    return "ucr" if unit == UnitCode.CR else "nusd"


def _money(unit: UnitCode, amount: int) -> str:
    if unit == UnitCode.CR:
        return f"{credits_text(amount)} Cr"
    return f"${usd_text(amount)}" + (" quota" if unit == UnitCode.QUOTA else "")
