"""Our values <-> the JSON bodies and answers of the incident.io API, without HTTP; and its contract."""
