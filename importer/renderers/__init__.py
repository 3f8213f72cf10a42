"""Values -> text for people and JSON for programs; nothing here prints."""
