"""incident.io over HTTP: what we ask of it (client), and how it waits and repeats (retry, throttle)."""
