"""Sends the corpus: as fast as it is taken, or at a steady pace to time the acks.

Knows bodies and an HTTP route. Does not know whose route it is.
"""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Callable

from client import Client, Refused
from corpus import Body

Post = Callable[[Client, Body], None]


@dataclass
class Sent:
    """`ack_ms`: from the first byte sent to the 2xx read, one a body. `refusals`: 429 and 503, each sent again after the wait asked for."""

    wall_seconds: float = 0.0
    bytes: int = 0
    ack_ms: list[float] = field(default_factory=list)
    refusals: int = 0


def post_to(path: str, params: dict, headers: dict) -> Post:
    """Posts a body's file as it is."""

    def post(client: Client, body: Body) -> None:
        client.send("POST", path, params, Path(body.file).read_bytes(), headers)

    return post


def send(url: str, bodies: list[Body], post: Post, clients: int, bytes_per_second: float | None = None) -> Sent:
    """Every body once, each client with one in flight. With a rate, body n is due when the bytes before it have had their time; a client
    that is late sends at once."""
    sent, lock, failures = Sent(), threading.Lock(), []
    due = _due(bodies, bytes_per_second)
    queue = iter(zip(bodies, due))
    begun = time.perf_counter()

    def work() -> None:
        with Client(url) as client:
            while not failures:
                with lock:
                    body, at = next(queue, (None, 0.0))
                if body is None:
                    return
                time.sleep(max(0.0, begun + at - time.perf_counter()))
                try:
                    ack, refusals = _send_one(client, body, post)
                except Exception as failure:  # a thread's exception is lost unless its starter raises it
                    failures.append(failure)
                    return
                with lock:
                    sent.ack_ms.append(ack)
                    sent.refusals += refusals
                    sent.bytes += body.bytes

    threads = [threading.Thread(target=work) for _ in range(clients)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if failures:
        raise failures[0]
    sent.wall_seconds = time.perf_counter() - begun
    return sent


def _due(bodies: list[Body], bytes_per_second: float | None) -> list[float]:
    if bytes_per_second is None:
        return [0.0] * len(bodies)
    return [body.start / bytes_per_second for body in bodies]


def _send_one(client: Client, body: Body, post: Post) -> tuple[float, int]:
    """Milliseconds until the ack, refusals and the waits after them included, and how many there were."""
    begun, refusals = time.perf_counter(), 0
    while True:
        try:
            post(client, body)
            return (time.perf_counter() - begun) * 1000, refusals
        except Refused as refused:
            if refused.status not in (429, 503) or refusals > 1000:
                raise
            refusals += 1
            time.sleep(refused.retry_after)
