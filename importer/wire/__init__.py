"""Our values <-> the JSON of the incident.io API, bodies and answers, without HTTP; and its contract."""
