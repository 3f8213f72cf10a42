"""Our values <-> the JSON of the incident.io API, pure; its wire names live here alone, and its contract."""
