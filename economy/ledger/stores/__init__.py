"""Where the books are kept. Each store feeds the same kernel and answers the same way."""

from economy.ledger.stores.memory import MemoryLedger
from economy.ledger.stores.protocol import Ledger
from economy.ledger.stores.sqlite import SqliteLedger

__all__ = ["Ledger", "MemoryLedger", "SqliteLedger"]
