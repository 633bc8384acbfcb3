"""Transfer ids: the same event always gives the same id, and ids grow with time.

An id has 128 bits. The upper half is the event's effective time in microseconds, so an
index over ids is appended to at its end, where a random key would touch a leaf per row.
The lower half mixes the event's key with the leg (which of the event's transfers) and the
attempt (how often somebody has knowingly retried a refusal). Nothing else goes in, so
whoever repeats an event derives the same ids, and the ledger answers ``EXISTS``::

    transfer_id(1_700_000_000_000_000, "top-up", "request-17", leg=1)
    transfer_ids(batch.effective_us, key_column(event_keys), leg=0)

Both forms share the mixing. It is SplitMix64's finaliser (Steele, Lea, Flood 2014), a
bijection on 64 bits: two legs of one event can never get the same id.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from economy.errors import BadInput, invariant
from economy.ledger.batch import I64

U64 = NDArray[np.uint64]

ID_BYTES = 16
MAX_LEG = 2**32 - 1
MAX_ATTEMPT = 2**31 - 1


def transfer_id(
    effective_us: int, *parts: str | int | bytes, leg: int = 0, attempt: int = 0
) -> tuple[int, int]:
    """The id ``(hi, lo)`` of one transfer of the event that ``parts`` name."""
    invariant(len(parts) > 0, "an id names its event")
    digest = hashlib.blake2b(digest_size=8)
    for part in parts:
        kind, content = _tagged(part)
        digest.update(kind + len(content).to_bytes(8, "big") + content)
    key_lo = np.frombuffer(digest.digest(), dtype=">i8").astype(np.int64)
    id_hi, id_lo = transfer_ids(
        np.array([effective_us], dtype=np.int64),
        key_lo,
        np.array([leg], dtype=np.int64),
        attempt,
    )
    return int(id_hi[0]), int(id_lo[0])


def transfer_ids(
    effective_us: I64, key_lo: I64, leg: I64 | int = 0, attempt: int = 0
) -> tuple[I64, I64]:
    """The ids of many transfers as columns ``(hi, lo)``.

    ``key_lo`` is 64 well-mixed bits of each event's key (see :func:`key_column`). Times
    before 1970 share the upper half 0.
    """
    legs = np.asarray(leg, dtype=np.int64)
    if legs.size and (legs.min() < 0 or legs.max() > MAX_LEG):
        raise BadInput("out of range", field="leg", value=int(legs.max()))
    if not 0 <= attempt <= MAX_ATTEMPT:
        raise BadInput("out of range", field="attempt", value=attempt)
    salt = _mixed(legs.astype(np.uint64) + np.uint64(attempt << 32))
    mixed = _mixed(key_lo.view(np.uint64) ^ salt)
    return np.maximum(effective_us, 0), mixed.view(np.int64)


def key_column(keys: Sequence[bytes]) -> I64:
    """The lower halves of 16-byte keys, as ``transfer_ids`` wants them."""
    joined = b"".join(keys)
    invariant(len(joined) == ID_BYTES * len(keys), "an event key has 16 bytes")
    halves = np.frombuffer(joined, dtype=">i8").reshape(-1, 2)
    return halves[:, 1].astype(np.int64)


def id_bytes(hi: int, lo: int) -> bytes:
    """An id as it is stored: 16 bytes, big endian, so that bytes sort by time."""
    return hi.to_bytes(8, "big", signed=True) + lo.to_bytes(8, "big", signed=True)


def id_byte_column(hi: I64, lo: I64) -> list[bytes]:
    """Many ids as they are stored."""
    halves = np.empty((len(hi), 2), dtype=">i8")
    halves[:, 0] = hi
    halves[:, 1] = lo
    column: list[bytes] = halves.view(f"V{ID_BYTES}").ravel().tolist()
    return column


def id_halves(stored: Sequence[bytes]) -> tuple[I64, I64]:
    """Stored ids back to columns ``(hi, lo)``."""
    halves = np.frombuffer(b"".join(stored), dtype=">i8").reshape(-1, 2)
    return halves[:, 0].astype(np.int64), halves[:, 1].astype(np.int64)


def _tagged(part: str | int | bytes) -> tuple[bytes, bytes]:
    """A part with its kind, so that 7 and "7" are different events."""
    if isinstance(part, bytes):
        return b"b", part
    if isinstance(part, str):
        return b"s", part.encode("utf-8")
    return b"i", str(part).encode("ascii")


def _mixed(words: U64) -> U64:
    """SplitMix64's finaliser; unsigned 64-bit columns wrap, which is meant here."""
    words = np.atleast_1d(words) + np.uint64(0x9E3779B97F4A7C15)
    words = (words ^ (words >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    words = (words ^ (words >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return words ^ (words >> np.uint64(31))
