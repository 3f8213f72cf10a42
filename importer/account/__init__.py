"""The account's things by name, what a file's names are there, and the rules that need an account."""
