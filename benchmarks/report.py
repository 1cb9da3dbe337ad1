"""Results as a table for people and JSON for programs."""

from __future__ import annotations

import platform
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from importlib.metadata import PackageNotFoundError, version

import psutil

__all__ = ["Result", "Time", "as_json", "machine", "summary", "table"]

_PACKAGES = ("macrocredit-assets", "dagster", "pandas", "pyarrow", "polars", "duckdb")

_WORDS = {True: "kept", False: "NOT KEPT", None: "cannot be told: the peer is absent"}


@dataclass(frozen=True)
class Time:
    """What one contestant took.

    Parameters
    ----------
    who
        As the table shows it.
    seconds
        Median; None where it is absent.
    times
        How many times the median is made of.
    peak_mb
        Peak memory of its process.
    rows, disk_mb
        Rows of the answer, and what it keeps on disk; None where that is not asked.
    absent
        Why it took no part.
    """

    who: str
    seconds: float | None
    times: int = 0
    peak_mb: float | None = None
    rows: int | None = None
    disk_mb: float | None = None
    absent: str | None = None


@dataclass(frozen=True)
class Result:
    """One piece of work, by all contestants, ours first; one round alone is not judged."""

    name: str
    title: str
    promise: str
    holds: bool | None
    times: tuple[Time, ...]
    judged: bool = True


def machine() -> dict[str, object]:
    """Describe what the figures were measured on."""
    versions = {}
    for package in _PACKAGES:
        try:
            versions[package] = version(package)
        except PackageNotFoundError:
            versions[package] = None
    return {
        "processor": _processor(),
        "cores": psutil.cpu_count(),
        "memory_gb": round(psutil.virtual_memory().total / 2**30),
        "system": f"{platform.system()} {platform.release().partition('-')[0]}",
        "python": platform.python_version(),
        "versions": versions,
    }


def as_json(results: Sequence[Result]) -> dict[str, object]:
    """Return everything as plain values."""
    return {"machine": machine(), "results": [asdict(result) for result in results]}


def table(result: Result) -> str:
    """Return one piece of work as lines of Markdown: a title, the promise, and a row per contestant."""
    lines = [
        f"**{result.title}** - {_judged(result)}",
        "",
        "| | median | ours / its | peak memory | rows | on disk |",
        "| --- | ---: | ---: | ---: | ---: | ---: |",
    ]
    ours = result.times[0].seconds
    for time in result.times:
        if time.seconds is None:
            lines.append(f"| {time.who} | absent: {time.absent} | | | | |")
            continue
        ratio = f"{ours / time.seconds:.2f}" if ours and time is not result.times[0] else ""
        cells = [
            time.who,
            _duration(time.seconds),
            ratio,
            f"{time.peak_mb:,.0f} MB" if time.peak_mb else "",
            f"{time.rows:,}" if time.rows is not None else "",
            f"{time.disk_mb:,.2f} MB" if time.disk_mb is not None else "",
        ]
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines)


def summary(results: Sequence[Result]) -> str:
    """Return all pieces of work as one table of Markdown: our median, and what part it is of each other one's."""
    lines = ["| work | ours | ours / its | promised |", "| --- | ---: | --- | --- |"]
    for result in results:
        ours, *others = result.times
        ratios = [
            f"{other.who} {ours.seconds / other.seconds:.2f}"
            if ours.seconds and other.seconds
            else f"{other.who} absent"
            for other in others
        ]
        taken = _duration(ours.seconds) if ours.seconds else ""
        lines.append(f"| {result.title} | {taken} | {', '.join(ratios)} | {_judged(result)} |")
    return "\n".join(lines)


def _judged(result: Result) -> str:
    return f"{result.promise}: {_WORDS[result.holds]}" if result.judged else f"{result.promise}: not judged"


def _duration(seconds: float) -> str:
    return f"{seconds:,.2f} s" if seconds >= 1 else f"{seconds * 1000:,.3g} ms"


def _processor() -> str:
    try:
        with open("/proc/cpuinfo", encoding="utf-8") as file:  # noqa: PTH123 - no file of anybody's
            names = [line.partition(":")[2].strip() for line in file if line.startswith("model name")]
    except OSError:
        names = []
    return names[0] if names else platform.processor()
