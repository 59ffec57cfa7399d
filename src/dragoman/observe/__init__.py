"""What the owner can see of the gateway's work: log lines, metrics, traces.

All three are made of the finished `usage.Entry` of a request, so that none of them can slow down
or break the request itself.
"""

from __future__ import annotations

from dragoman.observe.logs import log_request, set_up_logging
from dragoman.observe.metrics import Metrics, Totals

__all__ = ["Metrics", "Totals", "log_request", "set_up_logging"]
