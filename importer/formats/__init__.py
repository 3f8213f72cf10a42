"""Bytes of a file -> what it says, with places; and back."""
