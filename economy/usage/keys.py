"""An event's identity and its content, as 128-bit hashes.

Two events are the same when source and event id agree. If their content agrees too,
the second is a repeat and changes nothing; if it does not, somebody reused an id, and
that is a fault to be told. So each event has a *key* over (source, event id) and a
*content* hash over everything that decides its price: customer, model, time,
quantities and status, by name, so that it does not matter in which file or order the
event arrived.
"""

from __future__ import annotations

from hashlib import blake2b
from typing import Final

import numpy as np
from numpy.typing import NDArray

from economy.usage.batch import UsageBatch

KEY_BYTES: Final = 16
_KEY: Final = b"usage-key-1"
_NAME: Final = b"usage-name-1"
_CONTENT: Final = b"usage-content-1"


def event_keys(batch: UsageBatch) -> tuple[list[bytes], list[bytes]]:
    """Keys and content hashes of a batch's events, 16 bytes each (BLAKE2b)."""
    return _keys(batch.source, batch.event_id), _contents(batch)


def event_key(source: str, event_id: str) -> bytes:
    """The key of one event."""
    return _keys(source, [event_id])[0]


def _keys(source_name: str, event_ids: list[str]) -> list[bytes]:
    source = source_name.encode()
    # The length in front keeps ("a", "bc") and ("ab", "c") apart.
    prefix = blake2b(len(source).to_bytes(4, "little") + source, digest_size=16, person=_KEY)
    keys = []
    for event_id in event_ids:
        digest = prefix.copy()
        digest.update(event_id.encode())
        keys.append(digest.digest())
    return keys


def _contents(batch: UsageBatch) -> list[bytes]:
    n = len(batch)
    record = np.concatenate(
        [
            _name_hashes(batch.customers)[batch.customer],
            _name_hashes(batch.models)[batch.model],
            _bytes_of(batch.effective_us.reshape(n, 1)),
            _bytes_of(batch.quantities),
            batch.status.reshape(n, 1).view(np.uint8),
        ],
        axis=1,
    )
    width = record.shape[1]
    packed = memoryview(record.tobytes())
    return [
        blake2b(packed[at : at + width], digest_size=KEY_BYTES, person=_CONTENT).digest()
        for at in range(0, n * width, width)
    ]


def _name_hashes(names: list[str]) -> NDArray[np.uint8]:
    digests = b"".join(
        blake2b(name.encode(), digest_size=KEY_BYTES, person=_NAME).digest() for name in names
    )
    return np.frombuffer(digests, dtype=np.uint8).reshape(len(names), KEY_BYTES)


def _bytes_of(values: NDArray[np.int64]) -> NDArray[np.uint8]:
    """Little-endian bytes of each row, on any machine."""
    return np.ascontiguousarray(values, dtype="<i8").view(np.uint8)
