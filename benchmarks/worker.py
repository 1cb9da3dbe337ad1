"""A contestant's side: told on standard input what to do, it answers with how long that took.

What belongs here: the loop and the clock, with nothing but the standard library and numpy, for contestants live in
environments of their own, and one of them cannot have this project beside it. Requests and replies are lines of JSON::

    {"call": "read_month", "with": {"folder": "..."}}
    {"seconds": 0.00041, "digest": "9f86d081884c7d65", "rows": 21, "peak_mb": 143.2}

The answer itself stays here: its digest is compared by the parent, and taken outside the measured time.
"""

from __future__ import annotations

import hashlib
import json
import resource
import sys
import traceback
from time import perf_counter

import numpy as np

__all__ = ["digest", "serve"]


def serve(contestant: object) -> None:
    """Answer until standard input ends."""
    # what a library prints must not stand between two replies
    replies, sys.stdout = sys.stdout, sys.stderr
    for line in sys.stdin:
        request = json.loads(line)
        try:
            reply = _answer(contestant, request)
        except Exception:  # noqa: BLE001 - whatever it is, the parent tells it and stops
            reply = {"error": traceback.format_exc()}
        print(json.dumps(reply), file=replies, flush=True)


def _answer(contestant: object, request: dict) -> dict:
    method = getattr(contestant, request["call"], None)
    if method is None:
        return {"absent": f"{type(contestant).__name__} cannot do this"}
    started = perf_counter()
    answer = method(**request.get("with", {}))
    seconds = perf_counter() - started
    return {"seconds": seconds, "peak_mb": _peak_mb(), **digest(answer)}


def _peak_mb() -> float:
    """Return the peak memory of this process; what the system counts otherwise begins with that of its parent."""
    try:
        with open("/proc/self/status", encoding="utf-8") as file:  # noqa: PTH123 - no file of anybody's
            return next(int(line.split()[1]) / 1024 for line in file if line.startswith("VmHWM"))
    except OSError:
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def digest(answer: object) -> dict:
    """Return the rows of an answer and a hash of its dates and numbers, whatever library it comes from.

    A frame counts by its dates as days and its columns, in order, as float64; anything else by its JSON.
    """
    if answer is None:
        return {"rows": None, "digest": None}
    if hasattr(answer, "columns") and hasattr(answer, "index"):
        seen = hashlib.sha256()
        seen.update(answer.index.to_numpy().astype("datetime64[D]").astype(np.int64).tobytes())
        for name in answer.columns:
            seen.update(str(name).encode())
            # one pattern of bits for every NaN
            values = answer[name].to_numpy(dtype=np.float64, na_value=np.nan)
            seen.update(np.where(np.isnan(values), np.nan, values).tobytes())
        return {"rows": len(answer), "digest": seen.hexdigest()[:16]}
    text = json.dumps(answer, sort_keys=True, default=str)
    return {"rows": None, "digest": hashlib.sha256(text.encode()).hexdigest()[:16]}
