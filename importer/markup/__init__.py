"""Text in the markup of other tools -> the Markdown and the slugs of an incident."""
