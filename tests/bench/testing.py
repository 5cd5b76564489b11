"""What several tests share: a few lines of a corpus, and a server that answers from a table.

Knows no engine.
"""

from __future__ import annotations

import json
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Callable

Asked = tuple[str, str, dict, bytes]  # method, target, headers, body
Answers = Callable[[Asked], tuple[int, dict, bytes]]


def line(second: int, message: str, **fields: object) -> bytes:
    """A line of a corpus at that second of 2026-11-23T12:00."""
    return json.dumps({"timestamp": f"2026-11-23T12:00:{second:02}Z", "message": message, **fields}).encode() + b"\n"


class _Listener(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, *request: object) -> None:
        """A client that goes away is no mistake of the server's."""
        if not isinstance(sys.exc_info()[1], ConnectionError):
            super().handle_error(*request)


class Stub:
    """Listens on loopback until the `with` block ends and keeps what it was asked."""

    def __init__(self, answer: Answers) -> None:
        asked: list[Asked] = []
        self.asked = asked

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            wbufsize = -1  # head and body in one packet, else each answer waits for a delayed ack

            def _answer(self) -> None:
                body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
                asked.append((self.command, self.path, dict(self.headers), body))
                status, headers, text = answer(asked[-1])
                self.send_response(status)
                for name, value in {"Content-Length": str(len(text)), **headers}.items():
                    if value is not None:
                        self.send_header(name, value)
                self.end_headers()
                self.wfile.write(text)

            do_GET = do_POST = do_PUT = do_DELETE = _answer

            def log_message(self, *_: object) -> None:
                """Silence."""

        self.server = _Listener(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}"

    def __enter__(self) -> Stub:
        threading.Thread(target=self.server.serve_forever, args=(0.01,), daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self.server.shutdown()
        self.server.server_close()
