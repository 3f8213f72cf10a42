"""The incident.io API: what we ask (client), JSON <-> our values (wire), patience (transport)."""
