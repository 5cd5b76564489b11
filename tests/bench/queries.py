"""The workload: every query of ../shared/bench/README.md in Locard's language, what kind of answer it has, and the issue's target.

Knows names and texts. How an answer is found is in filters.py (by reading the file) and in the server.
"""

from __future__ import annotations

from dataclasses import dataclass

NEEDLE_IP = "203.0.113.77"
NEEDLE_UUID = "d3adbeef-5eed-4c0d-8a1e-0123456789ab"
FULL_EVENTS = 5_000_000
EXPORT_EVENTS = 1_000_000


@dataclass(frozen=True)
class Query:
    """`kind`: rows (newest first), count, top, groups, buckets or distinct. `filter` names a predicate of filters.py, `by` the field of a
    table. `full`: the first number of the answer on the 5 M corpus, as the workload's README states it."""

    name: str
    q: str
    kind: str
    filter: str
    by: str = ""
    limit: int = 100
    target_ms: float | None = None
    full: int | None = None

    @property
    def is_table(self) -> bool:
        return self.kind != "rows"


_AND_1H = "severity=error kubernetes.namespace=payments _time:[2026-11-23T12:00:00Z TO 2026-11-23T13:00:00Z]"
_NEGATION = 'source=journald -"Failed password" -"Invalid user" | stats count()'
_BY_USER = "event.action=failed_password | stats count() by user"

QUERIES = [
    Query("needle_ip_msg", f'"{NEEDLE_IP}"', "rows", "needle_word", target_ms=10, full=50),
    Query("needle_ip_field", f"src_ip={NEEDLE_IP}", "rows", "needle_field", target_ms=10, full=50),
    Query("needle_cidr", "src_ip:203.0.113.64/26", "rows", "needle_cidr", target_ms=10, full=50),
    Query("uuid_field", f"request_id={NEEDLE_UUID}", "rows", "uuid_field", target_ms=5, full=1),
    Query("uuid_msg", f'"{NEEDLE_UUID}"', "rows", "uuid_word", target_ms=5, full=1),
    Query("phrase_count", '"Failed password" | stats count()', "count", "phrase", target_ms=5, full=462_461),
    Query("phrase_newest", '"Failed password"', "rows", "phrase", target_ms=5, full=462_461),
    Query("and_1h_count", _AND_1H + " | stats count()", "count", "and_1h", full=538),
    Query("and_1h_rows", _AND_1H, "rows", "and_1h", limit=10_000, full=538),
    Query("negation", _NEGATION, "count", "negation", full=694_435),
    Query("prefix_msg", "kinsin* | stats count()", "count", "prefix", target_ms=50, full=1_698),
    Query("regex_field", "user:/^(admin|oracle)[0-9]+$/ | stats count()", "count", "regex_field", full=45_856),
    Query("regex_msg", "message:/port (22|2222)[0-9]{2} ssh2/ | stats count()", "count", "regex_msg", target_ms=150, full=928),
    Query("hist_1m", "* | timechart span=1m count()", "buckets", "all", target_ms=5, full=1_440),
    Query("top_ip", "src_ip:* | top 10 src_ip", "top", "has_ip", by="src_ip", target_ms=40, full=142_490),
    Query("top_ip_failed", '"Failed password" | top 10 src_ip', "top", "phrase", by="src_ip", target_ms=25, full=73_171),
    Query("newest", "*", "rows", "all", target_ms=5, full=FULL_EVENTS),
    Query("count_by_user", _BY_USER, "groups", "failed_action", by="user", target_ms=15, full=497),
    Query("count_all", "* | stats count()", "count", "all", full=FULL_EVENTS),
    Query("distinct", "* | stats dc(user)", "distinct", "all", by="user", full=1_152),
]
