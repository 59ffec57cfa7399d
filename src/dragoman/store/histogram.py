"""Durations in numbered buckets, whose counts can be added up over any span of time.

Sorting every duration of a month for its 95th percentile would take seconds, and percentiles of
percentiles mean nothing. Counts in buckets can be summed by the database. Each octave of
milliseconds has eight buckets, so a percentile is at most an eighth too high (and never too low);
up to 16 ms each millisecond has its own. The scheme is that of HdrHistogram, with three bits.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import accumulate

_BITS = 3
_PER_OCTAVE = 1 << _BITS
_EXACT = _PER_OCTAVE << 1


def find_bucket(milliseconds: int) -> int:
    """The number of the bucket that a duration belongs to; longer ones have higher numbers."""
    if milliseconds < _EXACT:
        return max(milliseconds, 0)
    octave = milliseconds.bit_length() - _BITS - 1
    return (octave << _BITS) + (milliseconds >> octave)


def upper_bound(bucket: int) -> int:
    """The longest duration in a bucket, in milliseconds."""
    if bucket < _EXACT:
        return bucket
    octave = (bucket >> _BITS) - 1
    return (((bucket & (_PER_OCTAVE - 1)) + _PER_OCTAVE + 1) << octave) - 1


def find_percentiles(counts: Mapping[int, int], wanted: Sequence[float]) -> list[int]:
    """For each of `wanted` (0 to 100) the duration in milliseconds that so many percent do not
    exceed. `counts` maps buckets to how many durations they hold; at least one."""
    buckets = sorted(counts)
    reached = list(accumulate(counts[bucket] for bucket in buckets))
    found: list[int] = []
    for percent in wanted:
        rank = max(1, -(-reached[-1] * percent // 100))
        place = next(index for index, count in enumerate(reached) if count >= rank)
        found.append(upper_bound(buckets[place]))
    return found
