"""The kernel: one plain loop that decides every transfer, compiled or not.

It knows no clock, no file and no randomness. A store hands it four arrays and the time:

``accounts``  int64 ``(A, 8)``: an account's four totals, unit and flags, one a row (64
              bytes, a cache line). Transfers name accounts by **row**. Row 0 is nobody: its
              unit is 0, as is that of every row without an account.
``records``   int64 ``(R, 16)``: transfers accepted earlier that this batch may refer to (by
              a repeated id, or as the hold of a post or void), then room for the batch.
``slots``     a hash index from an id to its record (open addressing, a power of two long).
``batch``     the columns of :class:`~economy.ledger.batch.TransferBatch`.

The loop writes each transfer behind the last record as a *candidate*, judges it, and either
keeps it (the record count grows by one) or leaves it to be overwritten. The checks stand in
the order of ``Result``, so the first that fails is the lowest that applies. A kept record is
*resolved*: a balancing transfer has the amount that was found, a post or void the accounts
and amount of its hold. That is what the journal says.

The way of a single transfer or hold stands in the loop as a whole. It reads longer than a
chain of calls, but numba counts references on every call that takes an array, which made
each transfer three times as slow. What is rare (repeats, posts and voids, undoing) is apart.

Linked chains work on the ledger itself and are undone if a member fails: records leave in
the reverse order of their coming, which is why emptying a slot never breaks the index.

Worked example. Lot 3 holds 10. The batch is: hold 8 from lot 3 to clearing 4; post 5 of it.
Candidate 1 passes, 8 go to the pending totals of 3 and 4; candidate 2 finds candidate 1
through ``slots``, takes accounts 3 and 4 from it, moves 8 out of pending and 5 into posted.
Lot 3 is left with 5 available.

Every account keeps ``pending + posted <= 2^63 - 1`` on either side, so that sums of two
totals cannot wrap. What would break it is refused as ``OVERFLOWS``.
"""

from __future__ import annotations

import numpy as np

from economy.compiled import compiled
from economy.ledger.batch import I64, AccountFlag, Result, TransferFlag
from economy.units import INT64_MAX

# Columns of an account. The four totals come first, in the order of ``Balance``.
DEBITS_PENDING, DEBITS_POSTED, CREDITS_PENDING, CREDITS_POSTED = 0, 1, 2, 3
UNIT, FLAGS = 4, 5
ACCOUNT_COLUMNS = 8

# Columns of a record. The first twelve are those of a transfer, in the order of its batch.
ID_HI, ID_LO, DEBIT, CREDIT, AMOUNT, KIND, CODE, REFERENCE = 0, 1, 2, 3, 4, 5, 6, 7
PENDING_HI, PENDING_LO, EXPIRES, EFFECTIVE = 8, 9, 10, 11
SEQ, PENDING_SEQ, HELD, STATE = 12, 13, 14, 15
RECORD_COLUMNS = 16

# States of a hold; 0 is a transfer that never was one.
OPEN, POSTED, VOIDED = 1, 2, 3

_LINKED = int(TransferFlag.LINKED)
_PENDING = int(TransferFlag.PENDING)
_POST = int(TransferFlag.POST)
_VOID = int(TransferFlag.VOID)
_BALANCING_DEBIT = int(TransferFlag.BALANCING_DEBIT)
_BALANCING_CREDIT = int(TransferFlag.BALANCING_CREDIT)
_DEBITS_LIMITED = int(AccountFlag.DEBITS_MUST_NOT_EXCEED_CREDITS)
_CREDITS_LIMITED = int(AccountFlag.CREDITS_MUST_NOT_EXCEED_DEBITS)

_OK = int(Result.OK)
_LINKED_EVENT_FAILED = int(Result.LINKED_EVENT_FAILED)
_LINKED_CHAIN_OPEN = int(Result.LINKED_CHAIN_OPEN)
_FLAGS_EXCLUSIVE = int(Result.FLAGS_ARE_MUTUALLY_EXCLUSIVE)
_ID_ZERO = int(Result.ID_MUST_NOT_BE_ZERO)
_EXISTS_DIFFERENT = int(Result.EXISTS_WITH_DIFFERENT_FIELDS)
_EXISTS = int(Result.EXISTS)
_DEBIT_NOT_FOUND = int(Result.DEBIT_ACCOUNT_NOT_FOUND)
_CREDIT_NOT_FOUND = int(Result.CREDIT_ACCOUNT_NOT_FOUND)
_SAME_ACCOUNT = int(Result.ACCOUNTS_MUST_BE_DIFFERENT)
_UNITS_DIFFER = int(Result.ACCOUNTS_MUST_HAVE_THE_SAME_UNIT)
_NEGATIVE = int(Result.AMOUNT_MUST_NOT_BE_NEGATIVE)
_ZERO = int(Result.AMOUNT_MUST_NOT_BE_ZERO)
_PENDING_ID_GIVEN = int(Result.PENDING_ID_MUST_BE_ZERO)
_PENDING_ID_MISSING = int(Result.PENDING_ID_MUST_NOT_BE_ZERO)
_HOLD_NOT_FOUND = int(Result.PENDING_TRANSFER_NOT_FOUND)
_NOT_A_HOLD = int(Result.PENDING_TRANSFER_NOT_PENDING)
_HOLD_POSTED = int(Result.PENDING_TRANSFER_ALREADY_POSTED)
_HOLD_VOIDED = int(Result.PENDING_TRANSFER_ALREADY_VOIDED)
_HOLD_EXPIRED = int(Result.PENDING_TRANSFER_EXPIRED)
_HOLD_ELSEWHERE = int(Result.PENDING_TRANSFER_HAS_DIFFERENT_ACCOUNTS)
_EXCEEDS_HOLD = int(Result.EXCEEDS_PENDING_TRANSFER_AMOUNT)
_OVERFLOWS = int(Result.OVERFLOWS)
_EXCEEDS_CREDITS = int(Result.EXCEEDS_CREDITS)
_EXCEEDS_DEBITS = int(Result.EXCEEDS_DEBITS)

# A slot holds a record's number + 1 in its lower half and a tag of the id in its upper one;
# the tag spares most looks at records that are not the one.
_RECORD_BITS = 32
_RECORD_MASK = (1 << _RECORD_BITS) - 1
_WORD = 0xFFFFFFFF
_FACTOR_A = 0x5BD1E995
_FACTOR_B = 0x27D4EB2F
_TAG_MASK = 0x7FFFFFFF


@compiled
def execute(  # noqa: PLR0917 - compiled code takes arguments by position.
    columns: tuple[I64, I64, I64, I64, I64, I64, I64, I64, I64, I64, I64, I64],
    accounts: I64,
    records: I64,
    known: int,
    slots: I64,
    now_us: int,
    horizon_us: int,
    next_seq: int,
    codes: I64,
    amounts: I64,
    seqs: I64,
) -> int:
    """Run one batch; return how many records there are afterwards.

    ``columns`` are those of a ``TransferBatch``, with accounts by row. ``known`` records
    precede the batch. Accepted transfers are numbered from ``next_seq`` and stand in
    ``records[known:returned]``. ``codes``, ``amounts`` and ``seqs`` (length of the batch) are
    filled. A hold lapses when ``now_us`` reaches its ``expires_us``. Resolved holds whose
    ``ID_HI`` is below ``horizon_us`` count as unknown (0: nothing is forgotten).
    """
    (
        id_hi,
        id_lo,
        debits,
        credits,
        amount,
        flags,
        code,
        reference,
        pending_hi,
        pending_lo,
        expires_us,
        effective_us,
    ) = columns
    n = len(id_hi)
    n_accounts = len(accounts)
    slot_mask = len(slots) - 1
    count = known
    chain_row = -1  # First row of the chain that we are in, -1 outside.
    chain_count = 0  # Records before that chain: where an undo stops.
    broken = False
    for i in range(n):
        kind = flags[i]
        linked = (kind & _LINKED) != 0
        if linked and chain_row < 0:
            chain_row, chain_count, broken = i, count, False
        action = kind & (_PENDING | _POST | _VOID)
        resolving = action in (_POST, _VOID)
        balancing = kind & (_BALANCING_DEBIT | _BALANCING_CREDIT)
        hi, lo, debit, credit, moved = id_hi[i], id_lo[i], debits[i], credits[i], amount[i]
        hold, tag, place = -1, 0, 0

        if broken:
            result = _LINKED_EVENT_FAILED
        elif linked and i == n - 1:
            result = _LINKED_CHAIN_OPEN
        elif action not in (0, _PENDING) and (not resolving or balancing != 0):
            result = _FLAGS_EXCLUSIVE
        elif hi == 0 and lo == 0:
            result = _ID_ZERO
        else:
            records[count, ID_HI] = hi
            records[count, ID_LO] = lo
            records[count, DEBIT] = debit
            records[count, CREDIT] = credit
            records[count, AMOUNT] = moved
            records[count, KIND] = kind
            records[count, CODE] = code[i]
            records[count, REFERENCE] = reference[i]
            records[count, PENDING_HI] = pending_hi[i]
            records[count, PENDING_LO] = pending_lo[i]
            records[count, EXPIRES] = expires_us[i]
            records[count, EFFECTIVE] = effective_us[i]
            # The walk of ``find``, in place: it ends at the id or where the id will stand.
            word = _hash(hi, lo)
            tag = word >> _RECORD_BITS
            place = word & slot_mask
            twin = -1
            while slots[place] != 0:
                if slots[place] >> _RECORD_BITS == tag:
                    at = (slots[place] & _RECORD_MASK) - 1
                    if records[at, ID_LO] == lo and records[at, ID_HI] == hi:
                        twin = at
                        break
                place = (place + 1) & slot_mask
            if twin >= 0:
                result = _EXISTS if _repeats(records, count, twin) else _EXISTS_DIFFERENT
            elif resolving:
                result, hold = _resolve(records, count, accounts, slots, now_us, horizon_us)
            elif debit >= n_accounts or accounts[debit, UNIT] == 0:
                result = _DEBIT_NOT_FOUND
            elif credit >= n_accounts or accounts[credit, UNIT] == 0:
                result = _CREDIT_NOT_FOUND
            elif debit == credit:
                result = _SAME_ACCOUNT
            elif accounts[debit, UNIT] != accounts[credit, UNIT]:
                result = _UNITS_DIFFER
            elif moved < 0:
                result = _NEGATIVE
            elif moved == 0:
                result = _ZERO
            elif pending_hi[i] != 0 or pending_lo[i] != 0:
                result = _PENDING_ID_GIVEN
            else:
                result = _OK
                taken = accounts[debit, DEBITS_PENDING] + accounts[debit, DEBITS_POSTED]
                given = accounts[credit, CREDITS_PENDING] + accounts[credit, CREDITS_POSTED]
                if kind & _BALANCING_DEBIT:
                    moved = min(moved, accounts[debit, CREDITS_POSTED] - taken)
                    if moved <= 0:
                        result = _EXCEEDS_CREDITS
                if result == _OK and kind & _BALANCING_CREDIT:
                    moved = min(moved, accounts[credit, DEBITS_POSTED] - given)
                    if moved <= 0:
                        result = _EXCEEDS_DEBITS
                if result != _OK:
                    pass
                elif moved > INT64_MAX - taken or moved > INT64_MAX - given:
                    result = _OVERFLOWS
                elif (accounts[debit, FLAGS] & _DEBITS_LIMITED) and (
                    taken + moved > accounts[debit, CREDITS_POSTED]
                ):
                    result = _EXCEEDS_CREDITS
                elif (accounts[credit, FLAGS] & _CREDITS_LIMITED) and (
                    given + moved > accounts[credit, DEBITS_POSTED]
                ):
                    result = _EXCEEDS_DEBITS

        codes[i] = result
        if result == _OK:
            if resolving:
                _move(records, count, hold, accounts, 1)
            else:
                records[count, AMOUNT] = moved
                records[count, PENDING_SEQ] = 0
                records[count, HELD] = 0
                if action == _PENDING:
                    records[count, STATE] = OPEN
                    accounts[debit, DEBITS_PENDING] += moved
                    accounts[credit, CREDITS_PENDING] += moved
                else:
                    records[count, STATE] = 0
                    accounts[debit, DEBITS_POSTED] += moved
                    accounts[credit, CREDITS_POSTED] += moved
            amounts[i] = records[count, AMOUNT]
            seqs[i] = next_seq + (count - known)
            records[count, SEQ] = seqs[i]
            slots[place] = (tag << _RECORD_BITS) | (count + 1)
            count += 1
        else:
            amounts[i] = 0
            seqs[i] = 0
            if chain_row >= 0 and not broken:
                broken = True
                count = _undo(records, count, chain_count, accounts, slots)
                for j in range(chain_row, i):
                    codes[j] = _LINKED_EVENT_FAILED
                    amounts[j] = 0
                    seqs[j] = 0
        if not linked:
            chain_row, broken = -1, False
    return count


@compiled
def _resolve(  # noqa: PLR0911, PLR0917 - one return for each result, in their order.
    records: I64, at: int, accounts: I64, slots: I64, now_us: int, horizon_us: int
) -> tuple[int, int]:
    """The result of a post or void, and the record of its hold (-1: none).

    On ``OK`` the candidate has taken accounts and amount from the hold. Totals and limits
    need no check: what a hold has reserved, a post of at most that much can only lower. A
    lapsed hold can still be voided, which is how its expiry is booked.
    """
    debit, credit = records[at, DEBIT], records[at, CREDIT]
    if debit != 0 and (debit >= len(accounts) or accounts[debit, UNIT] == 0):
        return _DEBIT_NOT_FOUND, -1
    if credit != 0 and (credit >= len(accounts) or accounts[credit, UNIT] == 0):
        return _CREDIT_NOT_FOUND, -1
    if debit != 0 and debit == credit:
        return _SAME_ACCOUNT, -1
    if debit != 0 and credit != 0 and accounts[debit, UNIT] != accounts[credit, UNIT]:
        return _UNITS_DIFFER, -1
    if records[at, AMOUNT] < 0:
        return _NEGATIVE, -1
    if records[at, PENDING_HI] == 0 and records[at, PENDING_LO] == 0:
        return _PENDING_ID_MISSING, -1
    hold = find(slots, records, records[at, PENDING_HI], records[at, PENDING_LO])
    if hold < 0:
        return _HOLD_NOT_FOUND, -1
    state = records[hold, STATE]
    if state != OPEN and records[hold, ID_HI] < horizon_us:
        return _HOLD_NOT_FOUND, -1
    if state == 0:
        return _NOT_A_HOLD, -1
    if state == POSTED:
        return _HOLD_POSTED, -1
    if state == VOIDED:
        return _HOLD_VOIDED, -1
    posting = (records[at, KIND] & _POST) != 0
    if posting and records[hold, EXPIRES] != 0 and records[hold, EXPIRES] <= now_us:
        return _HOLD_EXPIRED, -1
    if debit != 0 and debit != records[hold, DEBIT]:
        return _HOLD_ELSEWHERE, -1
    if credit != 0 and credit != records[hold, CREDIT]:
        return _HOLD_ELSEWHERE, -1
    held = records[hold, AMOUNT]
    if records[at, AMOUNT] > held:
        return _EXCEEDS_HOLD, -1
    if records[at, AMOUNT] == 0:
        records[at, AMOUNT] = held
    records[at, DEBIT] = records[hold, DEBIT]
    records[at, CREDIT] = records[hold, CREDIT]
    records[at, PENDING_SEQ] = records[hold, SEQ]
    records[at, HELD] = held
    records[at, STATE] = 0
    return _OK, hold


@compiled
def _repeats(records: I64, at: int, twin: int) -> bool:
    """Whether candidate ``at`` asks for what record ``twin`` of the same id has done.

    The record is resolved, the candidate is not yet: accounts left to the hold match any, an
    amount of 0 the whole hold, and a balancing amount all that is not below what was found.
    """
    for column in (KIND, CODE, REFERENCE, PENDING_HI, PENDING_LO, EXPIRES, EFFECTIVE):
        if records[at, column] != records[twin, column]:
            return False
    kind = records[at, KIND]
    resolving = (kind & (_POST | _VOID)) != 0
    for column in (DEBIT, CREDIT):
        named = records[at, column]
        if named != records[twin, column] and not (resolving and named == 0):
            return False
    amount, done = records[at, AMOUNT], records[twin, AMOUNT]
    if resolving and amount == 0:
        amount = records[twin, HELD]
    if kind & (_BALANCING_DEBIT | _BALANCING_CREDIT):
        return bool(amount >= done)
    return bool(amount == done)


@compiled
def _move(records: I64, at: int, hold: int, accounts: I64, sign: int) -> None:
    """Book record ``at`` (``sign`` 1) or take it back (-1)."""
    debit, credit, kind = records[at, DEBIT], records[at, CREDIT], records[at, KIND]
    amount = sign * records[at, AMOUNT]
    if kind & _PENDING:
        accounts[debit, DEBITS_PENDING] += amount
        accounts[credit, CREDITS_PENDING] += amount
        return
    if hold >= 0:
        released = sign * records[at, HELD]
        accounts[debit, DEBITS_PENDING] -= released
        accounts[credit, CREDITS_PENDING] -= released
        voiding = (kind & _VOID) != 0
        if sign < 0:
            records[hold, STATE] = OPEN
        else:
            records[hold, STATE] = VOIDED if voiding else POSTED
        if voiding:
            return
    accounts[debit, DEBITS_POSTED] += amount
    accounts[credit, CREDITS_POSTED] += amount


@compiled
def _undo(records: I64, count: int, keep: int, accounts: I64, slots: I64) -> int:
    """Take back the newest records down to ``keep`` of them; return ``keep``."""
    for at in range(count - 1, keep - 1, -1):
        hold = -1
        if records[at, KIND] & (_POST | _VOID):
            hold = find(slots, records, records[at, PENDING_HI], records[at, PENDING_LO])
        _move(records, at, hold, accounts, -1)
        slots[_slot(slots, records, records[at, ID_HI], records[at, ID_LO])] = 0
    return keep


@compiled
def find(slots: I64, records: I64, hi: int, lo: int) -> int:
    """The record with this id, or -1."""
    return int(slots[_slot(slots, records, hi, lo)] & _RECORD_MASK) - 1


@compiled
def index(records: I64, count: int, slots: I64) -> None:
    """Enter the first ``count`` records into ``slots``, which must be empty."""
    for at in range(count):
        _remember(slots, records, at)


@compiled
def forget(records: I64, count: int, horizon_us: int) -> int:
    """Keep what is younger than ``horizon_us`` and open holds, in order; return how many.

    The index does not follow: it has to be emptied and filled again.
    """
    kept = 0
    for at in range(count):
        if records[at, ID_HI] >= horizon_us or records[at, STATE] == OPEN:
            if kept != at:
                for column in range(RECORD_COLUMNS):
                    records[kept, column] = records[at, column]
            kept += 1
    return kept


def slots_for(count: int) -> I64:
    """An empty index with room for ``count`` records at most half full."""
    return np.zeros(1 << max(4, (2 * count - 1).bit_length()), dtype=np.int64)


@compiled
def _remember(slots: I64, records: I64, at: int) -> None:
    hi, lo = records[at, ID_HI], records[at, ID_LO]
    tag = _hash(hi, lo) >> _RECORD_BITS
    slots[_slot(slots, records, hi, lo)] = (tag << _RECORD_BITS) | (at + 1)


@compiled
def _slot(slots: I64, records: I64, hi: int, lo: int) -> int:
    """Where this id stands in ``slots``, or the empty place where it would."""
    word = _hash(hi, lo)
    tag = word >> _RECORD_BITS
    mask = len(slots) - 1
    place = word & mask
    while slots[place] != 0:
        if slots[place] >> _RECORD_BITS == tag:
            at = (slots[place] & _RECORD_MASK) - 1
            if records[at, ID_LO] == lo and records[at, ID_HI] == hi:
                break
        place = (place + 1) & mask
    return place


@compiled
def _hash(hi: int, lo: int) -> int:
    """63 mixed bits of an id. Products of 31 by 32 bits stay within int64 everywhere."""
    word = (lo & _WORD) * _FACTOR_A
    word = ((word >> 29) ^ word ^ (lo >> 32)) & _WORD
    word = word * _FACTOR_B
    word = ((word >> 27) ^ word ^ hi) & _WORD
    upper = word * _FACTOR_A
    word = ((upper >> 31) ^ upper ^ (hi >> 32)) & _WORD
    lower = word * _FACTOR_B
    return (((upper >> 16) & _TAG_MASK) << _RECORD_BITS) | (((lower >> 24) ^ lower) & _WORD)
