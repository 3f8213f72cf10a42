"""incident.io over HTTP: what we ask of it (client), and patience (transport)."""
