"""A `locard serve` of our own on a free loopback port and a fresh data directory.

Knows the binary by its command line and its health, search and admin routes.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import tempfile
import time
from pathlib import Path

import process
from client import Client, Refused

_READY_SECONDS = 60


class Server:
    """Runs until the `with` block ends; its data goes with it. `/tmp` may be memory, so the data is below `directory`."""

    def __init__(self, binary: Path, directory: Path) -> None:
        self.home = Path(tempfile.mkdtemp(prefix="run-", dir=directory))
        self.data = self.home / "data"
        self.log = self.home / "log"
        command = [str(binary), "serve", "--data", str(self.data), "--listen", "127.0.0.1:0"]
        with self.log.open("wb") as log:
            self.process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        self.pid = self.process.pid
        try:
            self.url = self._wait(self._find_url)
            self._wait(self._is_ready)
        except BaseException:
            self.stop()
            raise

    def __enter__(self) -> Server:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def client(self) -> Client:
        """A connection of its own."""
        return Client(self.url)

    def cpu_seconds(self) -> float:
        """CPU time so far."""
        return process.cpu_seconds(self.pid)

    def seal(self) -> None:
        """Returns when everything acked is sealed and merged and the log released."""
        with self.client() as client:
            client.send("POST", "/api/admin/seal")

    def settle(self, seconds: float = 30) -> float:
        """Waits until the server does nothing by itself, or for `seconds`; the share of a core that it still uses then."""
        end = time.monotonic() + seconds
        while True:
            before, begun = self.cpu_seconds(), time.monotonic()
            time.sleep(0.5)
            idle = (self.cpu_seconds() - before) / (time.monotonic() - begun)
            if idle < 0.01 or time.monotonic() > end:
                return idle

    def stop(self) -> None:
        """Ends the server and removes its data."""
        self.process.terminate()
        try:
            self.process.wait(60)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        shutil.rmtree(self.home, ignore_errors=True)

    def _wait(self, find):
        end = time.monotonic() + _READY_SECONDS
        while True:
            if found := find():
                return found
            if self.process.poll() is not None or time.monotonic() > end:
                raise RuntimeError("the server does not start; it says:\n" + self.log.read_text("utf-8", "replace")[-4000:])
            time.sleep(0.02)

    def _find_url(self) -> str | None:
        found = re.search(r"http://127\.0\.0\.1:\d+", self.log.read_text("utf-8", "replace"))
        return found.group() if found else None

    def _is_ready(self) -> bool:
        with self.client() as client:
            try:
                client.send("GET", "/health/ready")
            except (OSError, Refused):
                return False
        return True


def version(binary: Path) -> str:
    """What the binary calls itself."""
    return subprocess.run([str(binary), "--version"], check=True, capture_output=True, text=True).stdout.strip()


