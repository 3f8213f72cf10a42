"""A stand-in for the incident.io API: the same answers, rules and limits, with an account of its own.

    sandbox = open_sandbox(None)                            # in memory; a path keeps the account in a file
    httpx.Client(transport=httpx.WSGITransport(app=sandbox.app), base_url="http://sandbox")
    serve(sandbox, "127.0.0.1", 8080).run_forever()         # or on a socket, for any client

API keys of the default account: `sandbox-key` may do everything, `sandbox-read-only` may only read,
`sandbox-no-private` may do everything except see private incidents.

Everything that is unknown of the real API is an option (options.py; for its choices see choices.py):

    open_sandbox(None, options=SandboxOptions(idempotency=Idempotency.CONFLICT, list_lag=5.0))

Faults on demand, reproducible (for their kinds see faults.py):

    sandbox.faults = Faults((Fault(FaultKind.DROP_AFTER, on="POST /v2/incidents", nth=frozenset({3})),))

In process, the app raises ConnectionResetError (NoReply) for a dropped connection and TimeoutError
(NoReplyInTime) for a hang; on a socket, both close the connection without a reply.

A served sandbox can also be controlled by requests from the same machine, without a key:

    PUT    /sandbox/faults    {"seed": 1, "faults": [
                                  {"kind": "drop_after", "on": "POST /v2/incidents", "nth": [3]},
                                  {"kind": "latency", "seconds": 0.3, "probability": 0.5}]}
    GET    /sandbox/journal   {"requests": {"POST /v2/incidents 200": 3}, "too_many_requests": 0,
                               "faults": {"drop_after": 1},
                               "creations": {"an-idempotency-key": 1}, "announcements": []}
    DELETE /sandbox/journal   reset the counts

`announcements` lists what the real API would have announced to people: incidents of a mode other than
retrospective, and edits with notify_incident_channel. Control requests are neither limited nor counted.
"""

from __future__ import annotations

from importer.sandbox.choices import CreatesAs, Idempotency, OtherContent, RetryAfter, Rewrite
from importer.sandbox.faults import Fault, FaultKind, Faults, NoReply, NoReplyInTime
from importer.sandbox.journal import Journal
from importer.sandbox.opening import Sandbox, default_seed, open_sandbox
from importer.sandbox.options import RateLimit, SandboxOptions
from importer.sandbox.routes import ENDPOINTS
from importer.sandbox.serve import Server, serve

__all__ = [
    "ENDPOINTS",
    "CreatesAs",
    "Fault",
    "FaultKind",
    "Faults",
    "Idempotency",
    "Journal",
    "NoReply",
    "NoReplyInTime",
]
__all__ += ["OtherContent", "RateLimit", "RetryAfter", "Rewrite", "Sandbox", "SandboxOptions", "Server"]
__all__ += ["default_seed", "open_sandbox", "serve"]
