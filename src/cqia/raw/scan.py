"""The compiled scan that finds where JSON values start and end in a stream of bytes."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from numba import njit

Int64s = npt.NDArray[np.int64]


@njit(cache=True, nogil=True)
def _scan(
    data: npt.NDArray[np.uint8], opened: int, line: int, last: bool
) -> tuple[Int64s, Int64s, int, int, int]:
    """Spans of the values at the base depth.

    opened: 0 before the first byte, 1 inside a top-level array, 2 among documents, 3 after the
    array's end. Returns spans (n x 2; end -1: cut off), their lines, how many, bytes used, opened.
    """
    spans = np.empty((1024, 2), np.int64)
    lines = np.empty(1024, np.int64)
    count, at, used, size = 0, 0, 0, len(data)
    while at < size:
        byte = data[at]
        if byte == 10:
            line += 1
        if byte == 32 or byte == 9 or byte == 10 or byte == 13 or (byte == 44 and opened == 1):
            at += 1
            used = at
            continue
        if byte == 91 and opened == 0:
            opened = 1
            at += 1
            used = at
            continue
        if byte == 93 and opened == 1:
            opened = 3
            at += 1
            used = at
            continue
        if opened == 0:
            opened = 2
        start, first = at, line
        depth, quoted, whole = 0, False, False
        while at < size:
            byte = data[at]
            if byte == 10:
                line += 1
            if quoted:
                if byte == 92:
                    at += 1
                elif byte == 34:
                    quoted = False
                    whole = depth == 0
            elif byte == 34:
                quoted = True
            elif byte == 123 or byte == 91:
                depth += 1
            elif byte == 125 or byte == 93:
                if depth == 0:
                    break
                depth -= 1
                whole = depth == 0
            elif depth == 0 and (byte == 44 or byte <= 32):
                whole = False
                break
            at += 1
            if whole:
                break
        done = whole or (at < size and depth == 0 and not quoted)
        if not done and depth == 0 and not quoted and last:
            done = True
        if not done and not last:
            break
        if byte == 10 and not whole and at < size:
            line -= 1
        if at == start:
            at += 1
        if count == len(lines):
            spans = np.concatenate((spans, np.empty_like(spans)))
            lines = np.concatenate((lines, np.empty_like(lines)))
        spans[count, 0] = start
        spans[count, 1] = min(at, size) if done else -1
        lines[count] = first
        count += 1
        used = min(at, size)
    return spans[:count], lines[:count], count, used, opened


def scan_values(
    data: npt.NDArray[np.uint8], state: Int64s, line: int, last: bool
) -> tuple[Int64s, Int64s, int, Int64s]:
    """Find the JSON values in a block.

    Args:
        data: UTF-8 bytes.
        state: what the former call returned (zeros at first).
        line: the line number of the block's first byte.
        last: no more bytes follow.

    Returns:
        spans (n x 2, start and end; end -1 when the data ends inside a value), the values' line
        numbers, how many bytes are done with, and the state for the next call.
    """
    spans, lines, _, used, opened = _scan(data, int(state[0]), line, last)
    after = state.copy()
    after[0] = opened
    return spans, lines, used, after
