"""Declared and live incidents -> a plan, and what can be said of it before anything is sent."""
