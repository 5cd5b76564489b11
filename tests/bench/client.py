"""One kept-open HTTP connection.

Knows HTTP. Does not know what is asked.
"""

from __future__ import annotations

import http.client
import json
import time
from email.message import Message
from typing import Any, Iterator
from urllib.parse import urlencode, urlsplit

_IDLE_SECONDS = 5


class Refused(Exception):
    """An answer that is not a 2xx."""

    def __init__(self, status: int, body: bytes, retry_after: float) -> None:
        super().__init__(f"HTTP {status}: {body[:500].decode('utf-8', 'replace')}")
        self.status = status
        self.retry_after = retry_after


class Client:
    """For one thread, until the `with` block ends."""

    def __init__(self, url: str, timeout: float = 600) -> None:
        parts = urlsplit(url)
        if parts.scheme != "http" or not parts.hostname:
            raise ValueError(f"not an http:// URL: {url}")
        self.base = parts.path.rstrip("/")
        self.connection = http.client.HTTPConnection(parts.hostname, parts.port or 80, timeout=timeout)
        self.used = time.monotonic()

    def __enter__(self) -> Client:
        return self

    def __exit__(self, *_: object) -> None:
        self.connection.close()

    def send(self, method: str, path: str, params: dict | None = None, body: bytes | None = None, headers: dict | None = None) -> bytes:
        """The body of a 2xx."""
        response = self._open(method, path, params, body, headers)
        return self._checked(response)

    def get(self, path: str, **params: Any) -> Any:
        """The JSON of a 2xx."""
        return json.loads(self.send("GET", path, params))

    def lines(self, path: str, params: dict, headers: dict | None = None) -> Iterator[bytes]:
        """The lines of a 2xx as they come. Read to the end before the next request. A transfer that is broken off is an error."""
        rest = b""
        for piece in self.stream(path, params, headers)[1]:
            *whole, rest = (rest + piece).split(b"\n")
            yield from whole
        if rest:
            yield rest

    def stream(self, path: str, params: dict, headers: dict | None = None) -> tuple[Message, Iterator[bytes]]:
        """The head of a 2xx and its body in pieces, as `lines`."""
        response = self._open("GET", path, params, None, headers)
        if response.status // 100 != 2:
            self._checked(response)
        return response.headers, self._pieces(response)

    def _pieces(self, response: http.client.HTTPResponse) -> Iterator[bytes]:
        while piece := response.read1(1 << 20):
            yield piece
        if response.length:  # read1 does not complain of a body that is shorter than its Content-Length
            raise http.client.IncompleteRead(b"", response.length)
        response.close()

    def _open(self, method: str, path: str, params: dict | None, body: bytes | None, headers: dict | None) -> http.client.HTTPResponse:
        target = self.base + path + ("?" + urlencode(params) if params else "")
        if time.monotonic() - self.used > _IDLE_SECONDS:
            self.connection.close()  # servers close connections that were idle; the next request opens a new one
        self.used = time.monotonic()
        try:
            self.connection.request(method, target, body, headers or {})
            return self.connection.getresponse()
        except Exception:
            self.connection.close()  # else http.client keeps answering with its own state
            raise

    def _checked(self, response: http.client.HTTPResponse) -> bytes:
        body = response.read()
        if response.status // 100 != 2:
            retry_after = response.headers.get("Retry-After", "1")
            raise Refused(response.status, body, float(retry_after) if retry_after.isdigit() else 1.0)
        return body
