"""The corpus on disk and the bodies it is sent in, made once and kept under target/bench.

Knows gen.py's command line and zstd's. Does not know what the lines mean.
"""

from __future__ import annotations

import hashlib
import json
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Iterator

INGEST_BYTES = 8_000_000
ACK_BYTES = 512_000


class Missing(Exception):
    """Something the benchmark needs is not on this machine; the text says what and how to get it."""


@dataclass(frozen=True)
class Body:
    """A piece of the corpus in whole lines: where, how many, and its zstd frame on disk."""

    start: int
    bytes: int
    lines: int
    file: str


def generate(shared: Path, events: int, directory: Path) -> Path:
    """The corpus of that many events. The name carries gen.py's hash, so another generator makes another file."""
    generator = shared / "bench" / "gen.py"
    if not generator.is_file():
        raise Missing(f"{generator} is not there: the benchmark's corpus comes from the shared folder, set LOCARD_SHARED to it")
    version = hashlib.sha256(generator.read_bytes()).hexdigest()[:8]
    corpus = directory / f"c{events}-{version}.ndjson"
    if not corpus.exists():
        partial = corpus.with_suffix(".tmp")
        command = [sys.executable, str(generator), "--events", str(events), "--out", str(partial)]
        subprocess.run(command, check=True, stderr=subprocess.DEVNULL)
        partial.rename(corpus)
    return corpus


def pieces(lines: Iterator[bytes], most: int) -> Iterator[tuple[bytes, int]]:
    """Cuts lines into pieces of at most `most` bytes (a longer line is a piece of its own), with the number of lines in each."""
    piece: list[bytes] = []
    size = 0
    for line in lines:
        if piece and size + len(line) > most:
            yield b"".join(piece), len(piece)
            piece, size = [], 0
        piece.append(line)
        size += len(line)
    if piece:
        yield b"".join(piece), len(piece)


def bodies(corpus: Path, piece_bytes: int, most_bytes: int | None = None) -> list[Body]:
    """The corpus, or its first `most_bytes`, in zstd bodies of `piece_bytes` raw: compressed now, so that the clients' work is not timed."""
    directory = corpus.with_name(f"{corpus.stem}-bodies-{piece_bytes}-{most_bytes or 'all'}")
    index = directory / "index.json"
    if not index.exists():
        directory.mkdir(exist_ok=True)
        made = [vars(body) for body in _compress_all(corpus, directory, piece_bytes, most_bytes)]
        partial = index.with_suffix(".tmp")
        partial.write_text(json.dumps(made))
        partial.rename(index)
    return [Body(**entry) for entry in json.loads(index.read_text())]


def _compress_all(corpus: Path, directory: Path, piece_bytes: int, most_bytes: int | None) -> list[Body]:
    made, start, waiting = [], 0, []
    with corpus.open("rb") as file, ThreadPoolExecutor(2) as pool:
        for number, (piece, lines) in enumerate(pieces(file, piece_bytes)):
            if most_bytes is not None and start + len(piece) > most_bytes:
                break
            path = directory / f"{number:05}.zst"
            waiting.append(pool.submit(_compress, piece, path))
            made.append(Body(start, len(piece), lines, str(path)))
            start += len(piece)
            if len(waiting) > 4:
                waiting.pop(0).result()
        for task in waiting:
            task.result()
    return made


def _compress(piece: bytes, path: Path) -> None:
    with path.open("wb") as file:
        subprocess.run(["zstd", "-3", "-q", "-c"], input=piece, stdout=file, check=True)
