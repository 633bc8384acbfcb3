"""Rating and charging: from usage to charges in the ledger."""
