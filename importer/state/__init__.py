"""What is remembered between runs: the ledger and its file, the lock, and the file that a team commits."""
