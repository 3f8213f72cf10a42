"""What an export holds -> a mapping to begin with, and the questions that it leaves open."""
