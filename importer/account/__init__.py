"""Find the account's entities by name, resolve the names in files, and check rules that need an account."""
