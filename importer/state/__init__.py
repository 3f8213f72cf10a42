"""The state between runs: the ledger and its file, the lock, and the export that a team commits."""
