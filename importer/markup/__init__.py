"""Text as other tools write it -> the Markdown and the short names that an incident holds."""
