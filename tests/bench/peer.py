"""The same work on another engine that someone has started.

Knows what is asked of every peer: prepare, post, flush, count, ask, read, export, disk_bytes, clean. Measures its CPU only if it runs on
this machine. What it answers is compared too, but never makes the run fail: it is not ours to mend.
"""

from __future__ import annotations

import functools
import time
from typing import Callable
from urllib.parse import urlsplit

import measure
import process
from check import ExportCheck, check
from client import Client, Refused
from corpus import Body, Missing
from elastic import Elastic
from ingest import send
from queries import QUERIES, Query
from victorialogs import VictoriaLogs

PEERS = {"LOCARD_PEER_VICTORIALOGS": VictoriaLogs, "LOCARD_PEER_ELASTIC": Elastic}
_VISIBLE_SECONDS = 300


def pid_of(url: str) -> int | None:
    """The peer's process, if it listens on this machine."""
    parts = urlsplit(url)
    is_here = parts.hostname in ("127.0.0.1", "localhost", "::1")
    return process.listener(parts.port or 80) if is_here else None


def run(peer, bodies: list[Body], answers: dict, clients: int) -> dict:
    """Everything, as figures."""
    pid = pid_of(peer.url)
    cpu = functools.partial(process.cpu_seconds, pid) if pid else None
    with Client(peer.url) as client:
        peer.prepare(client)
        try:
            figures = {"url": peer.url, "ingest": _ingest(peer, client, bodies, answers["events"], clients, pid, cpu)}
            figures["queries"] = {query.name: _query(peer, client, query, answers, cpu) for query in QUERIES}
            figures["export"] = _export(peer, client, answers["export"], cpu)
            return figures
        finally:
            peer.clean(client)


def _ingest(peer, client: Client, bodies: list[Body], events: int, clients: int, pid: int | None, cpu) -> dict:
    before = cpu() if cpu else 0.0
    begun = time.perf_counter()
    sent = send(peer.url, bodies, peer.post, clients)
    acked = time.perf_counter()
    peer.flush(client)
    _wait_visible(peer, client, events)
    return {
        "cpu_s": cpu() - before if cpu else None,
        "wall_acked_s": sent.wall_seconds,
        "wall_s": time.perf_counter() - begun,
        "visible_after_s": time.perf_counter() - acked,
        "refusals": sent.refusals,
        "peak_bytes": process.peak_bytes(pid) if pid else None,
        "disk_bytes": peer.disk_bytes(client),
    }


def _wait_visible(peer, client: Client, events: int) -> None:
    end = time.monotonic() + _VISIBLE_SECONDS
    while (seen := peer.count(client)) != events:
        if time.monotonic() > end:
            raise Missing(f"{peer.name} shows {seen} of {events} events {_VISIBLE_SECONDS} s after the last ack")
        time.sleep(0.2)


def _query(peer, client: Client, query: Query, answers: dict, cpu: Callable[[], float] | None) -> dict | None:
    try:
        return _compared(peer, client, query, answers, cpu)
    except Refused as refused:
        return {**measure.NONE.to_json(), "wrong": [str(refused)]}


def _compared(peer, client: Client, query: Query, answers: dict, cpu: Callable[[], float] | None) -> dict | None:
    body = peer.ask(client, query)
    if body is None:
        return None
    wrong = check(query, peer.read(query, body), answers["queries"][query.name])
    for _ in range(measure.WARM_UPS - 1):
        peer.ask(client, query)
    return {**measure.repeat(lambda: peer.ask(client, query), cpu).to_json(), "wrong": wrong}


def _export(peer, client: Client, expected: dict, cpu: Callable[[], float] | None) -> dict | None:
    lines = peer.export(client, expected["start"])
    if lines is None:
        return None
    reader = ExportCheck(is_ordered=False)
    for line in lines:
        reader.take(*peer.event(line))
    begun, before = time.perf_counter(), cpu() if cpu else 0.0
    count = sum(1 for _ in peer.export(client, expected["start"]))
    return {
        "events": count,
        "wall_s": time.perf_counter() - begun,
        "cpu_s": cpu() - before if cpu else None,
        "wrong": reader.finish(expected),
    }
