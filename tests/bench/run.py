"""Locard's own part of the run: ingest, queries, export, acks, each as figures and as a list of what was wrong.

Knows the order of the phases. Every phase asks the one binary over HTTP and compares with the scan.
"""

from __future__ import annotations

import sys
import time
from pathlib import Path

import locard
import measure
import process
from check import check
from client import Client, Refused
from corpus import Body
from ingest import post_to, send
from queries import QUERIES, Query
from resume import resumed
from server import Server
from visible import Prober

ACK_BYTES_PER_SECOND = 20_000_000
ACK_CLIENTS = 4


def say(text: str) -> None:
    """Progress, for who waits."""
    print(text, file=sys.stderr, flush=True)


def measure_server(binary: Path, directory: Path, bodies: list[Body], answers: dict, clients: int) -> dict:
    """One server from empty to the last query."""
    with Server(binary, directory) as server, server.client() as client:
        say("bench: ingest")
        figures: dict = {"ingest": _ingest(server, client, bodies, answers["events"], clients)}
        figures["idle"] = server.settle()
        figures["queries"] = {}
        for query in QUERIES:
            say(f"bench: query {query.name}")
            figures["queries"][query.name] = _query(server, client, query, answers["queries"][query.name])
        say("bench: export")
        figures["export"] = _export(server, client, answers["export"])
        say("bench: exports interrupted twice")
        figures["resumed"] = resumed(server, answers["events"])
        return figures


def _ingest(server: Server, client: Client, bodies: list[Body], events: int, clients: int) -> dict:
    before, begun = server.cpu_seconds(), time.perf_counter()
    parts = process.user_and_system(server.pid)
    sent = send(server.url, bodies, post_to(locard.INGEST_PATH, locard.INGEST_PARAMS, locard.INGEST_HEADERS), clients)
    count = next(query for query in QUERIES if query.name == "count_all")
    seen = locard.read(count, locard.ask(client, count)).table
    acked = server.cpu_seconds() - before
    figures = {"wall_acked_s": sent.wall_seconds, "cpu_acked_s": acked, "peak_acked_bytes": process.peak_bytes(server.pid)}
    server.seal()
    user, system = process.user_and_system(server.pid)
    return {
        **figures,
        "wall_s": time.perf_counter() - begun,
        "cpu_s": server.cpu_seconds() - before,
        "user_s": user - parts[0],
        "system_s": system - parts[1],
        "peak_bytes": process.peak_bytes(server.pid),
        "disk_bytes": process.disk_bytes(server.data),
        "clients": clients,
        "refusals": sent.refusals,
        "wrong": [] if seen == [[events]] else [f"right after the last ack a search counts {seen}, sent {events}"],
    }


def _query(server: Server, client: Client, query: Query, expected: dict) -> dict:
    """The first answer and the last one are compared, those between only timed. An error is a wrong answer; the others are still asked."""
    try:
        return _compared(server, client, query, expected)
    except Refused as refused:
        return {**measure.NONE.to_json(), "wrong": [str(refused)]}


def _compared(server: Server, client: Client, query: Query, expected: dict) -> dict:
    last = [b""]

    def call() -> None:
        last[0] = locard.ask(client, query)

    wrong = check(query, locard.read(query, locard.ask(client, query)), expected)
    for _ in range(measure.WARM_UPS - 1):
        call()
    timing = measure.repeat(call, server.cpu_seconds)
    wrong += check(query, locard.read(query, last[0]), expected)
    return {**timing.to_json(), "wrong": list(dict.fromkeys(wrong))}


def _export(server: Server, client: Client, expected: dict) -> dict:
    """Once to compare every event, once more to time it with a client that only counts lines."""
    path = locard.exporter(client)
    wrong = locard.check_export(locard.export_lines(client, path, expected["start"]), expected)
    before, begun = server.cpu_seconds(), time.perf_counter()
    count = sum(1 for line in locard.export_lines(client, path, expected["start"]) if not locard.is_summary(line))
    cpu, wall = server.cpu_seconds() - before, time.perf_counter() - begun
    if count != expected["count"]:
        wrong.append(f"{count} lines exported, expected {expected['count']}")
    return {"route": path, "events": count, "wall_s": wall, "cpu_s": cpu, "wrong": wrong}


def measure_acks(binary: Path, directory: Path, bodies: list[Body]) -> dict:
    """A second server takes small bodies at a steady pace while another client looks for what it was acked."""
    say("bench: acks")
    with Server(binary, directory) as server:
        post = post_to(locard.INGEST_PATH, locard.INGEST_PARAMS, locard.INGEST_HEADERS)
        with Prober(server.url) as prober:
            sent = send(server.url, bodies, post, ACK_CLIENTS, ACK_BYTES_PER_SECOND)
    return {
        "bodies": len(bodies),
        "body_bytes": max(body.bytes for body in bodies),
        "clients": ACK_CLIENTS,
        "bytes_per_s": sent.bytes / sent.wall_seconds,
        "p50_ms": measure.percentile(sent.ack_ms, 0.5),
        "p99_ms": measure.percentile(sent.ack_ms, 0.99),
        "max_ms": max(sent.ack_ms),
        "refusals": sent.refusals,
        "markers": prober.tried,
        "marker_search_p50_ms": measure.percentile(prober.search_ms, 0.5) if prober.search_ms else None,
        "wrong": prober.wrong + ([] if prober.tried else ["no marker was tried"]),
    }
