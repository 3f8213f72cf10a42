"""Turn a sandbox into a server on a socket: threads, keep-alive, each reply in one write, TCP_NODELAY."""

from __future__ import annotations

import io
import threading
from typing import TYPE_CHECKING, Any

from cheroot import wsgi

from importer.sandbox.faults import NoReply, NoReplyInTime
from importer.sandbox.opening import Sandbox

if TYPE_CHECKING:
    from collections.abc import Iterable

    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

_THREADS = 16


class Server:
    """A bound server; it answers between `start` (or `run_forever`) and `stop`."""

    def __init__(self, app: WSGIApplication, host: str, port: int) -> None:
        self._server = wsgi.Server((host, port), _closing_on_hang(app), numthreads=_THREADS)
        self._server.gateway = _OneWriteGateway
        self._server.prepare()
        self._thread: threading.Thread | None = None

    @property
    def url(self) -> str:
        """The base URL, with the port that the system chose if 0 was requested."""
        host, port = self._server.bind_addr[:2]
        return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"

    def start(self) -> None:
        """Answer in a background thread."""
        self._thread = threading.Thread(target=self.run_forever, name="sandbox", daemon=True)
        self._thread.start()

    def run_forever(self) -> None:
        """Answer in this thread until `stop` or Ctrl-C (KeyboardInterrupt)."""
        self._server.serve()

    def stop(self) -> None:
        """Let requests in flight finish, and free the port."""
        self._server.stop()
        if self._thread is not None:
            self._thread.join()


def serve(sandbox: Sandbox, host: str, port: int) -> Server:
    """Bind a server for a sandbox; `start()` or `run_forever()` makes it answer. Port 0 is any free one."""
    return Server(sandbox.app, host, port)


def _closing_on_hang(app: WSGIApplication) -> WSGIApplication:
    """Turn a hang into a dropped connection, which is how a client sees it."""

    def answer(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        try:
            return app(environ, start_response)
        except NoReplyInTime as hang:
            raise NoReply(104, str(hang)) from None

    return answer


class _OneWriteGateway(wsgi.Gateway_10):
    """A gateway that sends header and body in one write: with two, the second would wait for the first's
    acknowledgement (Nagle's algorithm with delayed ACK, about 40 ms)."""

    def respond(self) -> None:
        """Process the request; if the application raises, nothing is written to the socket."""
        connection = self.req.conn
        socket_file: Any = connection.wfile
        reply = io.BytesIO()
        connection.wfile = reply
        try:
            super().respond()
        finally:
            connection.wfile = socket_file
        if (b"Connection", b"close") in self.req.outheaders:
            self.req.close_connection = True
        socket_file.write(reply.getvalue())
