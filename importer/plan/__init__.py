"""Declared and live incidents -> a plan, and the checks of it before anything is sent."""
