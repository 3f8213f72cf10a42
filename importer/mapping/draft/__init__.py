"""The contents of an export -> a draft of a mapping, and the questions that it leaves open."""
