"""Which fixes fit a diagnosis, applying and undoing one, and the ledger of safeguards that are off."""
