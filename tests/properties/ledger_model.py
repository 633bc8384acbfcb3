"""The ledger once more, as plainly as it can be said: what the kernel is compared with.

Where the kernel stops at the first check that fails, the model collects *every* result that
applies and takes the lowest. Where the kernel undoes a chain step by step, the model throws
away a copy of the whole state. It knows no index, no rows and no columns.
"""

from __future__ import annotations

import copy
from dataclasses import dataclass, field

from economy.ledger.batch import AccountFlag, Result, TransferFlag

MOST = 2**63 - 1
Id = tuple[int, int]


@dataclass
class Account:
    unit: int
    flags: AccountFlag
    debits_pending: int = 0
    debits_posted: int = 0
    credits_pending: int = 0
    credits_posted: int = 0

    @property
    def debits(self) -> int:
        return self.debits_pending + self.debits_posted

    @property
    def credits(self) -> int:
        return self.credits_pending + self.credits_posted

    def totals(self) -> tuple[int, int, int, int]:
        return (
            self.debits_pending,
            self.debits_posted,
            self.credits_pending,
            self.credits_posted,
        )


@dataclass
class Transfer:
    """One row of a batch; the model resolves it in place, like the journal."""

    id: Id
    debit: int
    credit: int
    amount: int
    flags: TransferFlag
    code: int
    reference: int
    pending: Id
    expires_us: int
    effective_us: int
    state: str = ""
    held: int = 0

    @property
    def resolving(self) -> bool:
        return bool(self.flags & (TransferFlag.POST | TransferFlag.VOID))


@dataclass
class Model:
    accounts: dict[int, Account]
    transfers: dict[Id, Transfer] = field(default_factory=dict)

    def execute(self, batch: list[Transfer], now_us: int) -> list[Result]:
        results: list[Result] = []
        for chain in chains(batch):
            before = copy.deepcopy(self)
            answers = [self.execute_one(copy.copy(t), now_us) for t in chain]
            if chain[-1].flags & TransferFlag.LINKED:
                # Only the end of the batch can cut a chain short.
                answers[-1] = Result.LINKED_CHAIN_OPEN
            culprit = next((i for i, answer in enumerate(answers) if answer), None)
            if culprit is not None:
                self.accounts, self.transfers = before.accounts, before.transfers
                why = answers[culprit]
                answers = [Result.LINKED_EVENT_FAILED] * len(chain)
                answers[culprit] = why
            results += answers
        return results

    def execute_one(self, t: Transfer, now_us: int) -> Result:
        wrong = self.form(t) | self.repeats(t)
        if not wrong:
            wrong = self.resolution(t, now_us) if t.resolving else self.move(t)
        if wrong:
            return min(wrong)
        self.transfers[t.id] = t
        return Result.OK

    def form(self, t: Transfer) -> set[Result]:
        """What is wrong with the transfer by itself."""
        wrong = set()
        kinds = [f for f in TransferFlag if f & t.flags]
        modes = {TransferFlag.PENDING, TransferFlag.POST, TransferFlag.VOID} & set(kinds)
        balances = {TransferFlag.BALANCING_DEBIT, TransferFlag.BALANCING_CREDIT} & set(kinds)
        if len(modes) > 1 or (t.resolving and balances):
            wrong.add(Result.FLAGS_ARE_MUTUALLY_EXCLUSIVE)
        if t.id == (0, 0):
            wrong.add(Result.ID_MUST_NOT_BE_ZERO)
        debit, credit = self.accounts.get(t.debit), self.accounts.get(t.credit)
        if debit is None and not (t.resolving and t.debit == 0):
            wrong.add(Result.DEBIT_ACCOUNT_NOT_FOUND)
        if credit is None and not (t.resolving and t.credit == 0):
            wrong.add(Result.CREDIT_ACCOUNT_NOT_FOUND)
        if t.debit == t.credit != 0:
            wrong.add(Result.ACCOUNTS_MUST_BE_DIFFERENT)
        if debit and credit and debit.unit != credit.unit:
            wrong.add(Result.ACCOUNTS_MUST_HAVE_THE_SAME_UNIT)
        if t.amount < 0:
            wrong.add(Result.AMOUNT_MUST_NOT_BE_NEGATIVE)
        if t.amount == 0 and not t.resolving:
            wrong.add(Result.AMOUNT_MUST_NOT_BE_ZERO)
        if t.pending != (0, 0) and not t.resolving:
            wrong.add(Result.PENDING_ID_MUST_BE_ZERO)
        if t.pending == (0, 0) and t.resolving:
            wrong.add(Result.PENDING_ID_MUST_NOT_BE_ZERO)
        return wrong

    def repeats(self, t: Transfer) -> set[Result]:
        twin = self.transfers.get(t.id)
        if twin is None:
            return set()
        asked = copy.copy(t)
        if t.resolving:
            asked.debit = t.debit or twin.debit
            asked.credit = t.credit or twin.credit
            asked.amount = t.amount or twin.held
        balancing = TransferFlag.BALANCING_DEBIT | TransferFlag.BALANCING_CREDIT
        if t.flags & balancing and t.amount >= twin.amount:
            asked.amount = twin.amount
        asked.state, asked.held = twin.state, twin.held
        return {Result.EXISTS if asked == twin else Result.EXISTS_WITH_DIFFERENT_FIELDS}

    def resolution(self, t: Transfer, now_us: int) -> set[Result]:
        hold = self.transfers.get(t.pending)
        if hold is None:
            return {Result.PENDING_TRANSFER_NOT_FOUND}
        refusals = {
            "": Result.PENDING_TRANSFER_NOT_PENDING,
            "posted": Result.PENDING_TRANSFER_ALREADY_POSTED,
            "voided": Result.PENDING_TRANSFER_ALREADY_VOIDED,
        }
        if hold.state in refusals:
            return {refusals[hold.state]}
        wrong = set()
        posting = bool(t.flags & TransferFlag.POST)
        if posting and hold.expires_us and now_us >= hold.expires_us:
            wrong.add(Result.PENDING_TRANSFER_EXPIRED)
        if (t.debit or hold.debit, t.credit or hold.credit) != (hold.debit, hold.credit):
            wrong.add(Result.PENDING_TRANSFER_HAS_DIFFERENT_ACCOUNTS)
        if t.amount > hold.amount:
            wrong.add(Result.EXCEEDS_PENDING_TRANSFER_AMOUNT)
        if wrong:
            return wrong
        t.debit, t.credit, t.held = hold.debit, hold.credit, hold.amount
        t.amount = t.amount or hold.amount
        debit, credit = self.accounts[t.debit], self.accounts[t.credit]
        debit.debits_pending -= hold.amount
        credit.credits_pending -= hold.amount
        hold.state = "posted" if posting else "voided"
        if posting:
            debit.debits_posted += t.amount
            credit.credits_posted += t.amount
        return set()

    def move(self, t: Transfer) -> set[Result]:
        debit, credit = self.accounts[t.debit], self.accounts[t.credit]
        wrong = set()
        if t.flags & TransferFlag.BALANCING_DEBIT:
            t.amount = min(t.amount, debit.credits_posted - debit.debits)
            if t.amount <= 0:
                return {Result.EXCEEDS_CREDITS}
        if t.flags & TransferFlag.BALANCING_CREDIT:
            t.amount = min(t.amount, credit.debits_posted - credit.credits)
            if t.amount <= 0:
                return {Result.EXCEEDS_DEBITS}
        if max(debit.debits, credit.credits) + t.amount > MOST:
            wrong.add(Result.OVERFLOWS)
        limited = debit.flags & AccountFlag.DEBITS_MUST_NOT_EXCEED_CREDITS
        if limited and debit.debits + t.amount > debit.credits_posted:
            wrong.add(Result.EXCEEDS_CREDITS)
        limited = credit.flags & AccountFlag.CREDITS_MUST_NOT_EXCEED_DEBITS
        if limited and credit.credits + t.amount > credit.debits_posted:
            wrong.add(Result.EXCEEDS_DEBITS)
        if wrong:
            return wrong
        if t.flags & TransferFlag.PENDING:
            t.state = "open"
            debit.debits_pending += t.amount
            credit.credits_pending += t.amount
        else:
            debit.debits_posted += t.amount
            credit.credits_posted += t.amount
        return set()


def chains(batch: list[Transfer]) -> list[list[Transfer]]:
    """The batch cut after each transfer that is not linked to the next."""
    parts: list[list[Transfer]] = [[]]
    for t in batch:
        parts[-1].append(t)
        if not t.flags & TransferFlag.LINKED:
            parts.append([])
    return [part for part in parts if part]
