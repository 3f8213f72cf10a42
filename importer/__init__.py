"""Declarative backfill of historical incidents into incident.io."""

__version__ = "0.1.0"
