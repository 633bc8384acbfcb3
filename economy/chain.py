"""The hash chain over batches: each link binds all that came before it.

``hash[n] = SHA-256(hash[n-1] || payload[n])`` with ``hash[-1]`` 32 zero bytes. The
journal and the review log use the same link, so one checker reads both. A
payload is canonical: fixed width, little endian, led by its schema version.
"""

from __future__ import annotations

import hashlib

HASH_BYTES = 32
GENESIS_HASH = bytes(HASH_BYTES)


def link(previous_hash: bytes, payload: bytes) -> bytes:
    """The hash that binds ``payload`` to everything before it (32 bytes)."""
    digest = hashlib.sha256(previous_hash)
    digest.update(payload)
    return digest.digest()
