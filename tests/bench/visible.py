"""Promise 1, asked while the server is busy: an event is found by the search that follows its ack, and at once.

Knows Locard's doors and search.
"""

from __future__ import annotations

import json
import threading
import time
import uuid

import locard
from client import Client

_EVERY_SECONDS = 0.25


class Prober:
    """Until stopped: sends one event with a unique word, and as soon as it is acked searches for that word, once. No second try."""

    def __init__(self, url: str) -> None:
        self.client = Client(url)
        self.tried = 0
        self.wrong: list[str] = []
        self.search_ms: list[float] = []
        self.stopped = threading.Event()
        self.thread = threading.Thread(target=self._work)

    def __enter__(self) -> Prober:
        self.thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stopped.set()
        self.thread.join()
        self.client.connection.close()

    def _work(self) -> None:
        while True:
            try:
                self._probe(f"marker{uuid.uuid4().hex}")
            except Exception as failure:
                self.wrong.append(f"a probe failed: {failure}")
            if self.stopped.wait(_EVERY_SECONDS):
                return

    def _probe(self, word: str) -> None:
        body = json.dumps({"message": f"ack to visible {word}", "host": "bench", "source": "bench"}).encode()
        headers = {"Content-Type": "application/x-ndjson"}
        self.client.send("POST", locard.INGEST_PATH, locard.INGEST_PARAMS, body, headers)
        begun = time.perf_counter()
        found = self.client.get("/api/search", q=word, limit=10)
        self.search_ms.append((time.perf_counter() - begun) * 1000)
        self.tried += 1
        if [event["message"] for event in found["events"]] != [f"ack to visible {word}"]:
            self.wrong.append(f"{word} was acked and is not found: {len(found['events'])} events")
