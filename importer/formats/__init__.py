"""The bytes of a file -> its values, with places; and back."""
