"""The shape of a run log: every field, to JSON and back.

What belongs here: dataclasses and their plain form. Which file a document stands in, and who writes it when, is in
``run_log.py``. This is what a document looks like::

    {"run_id": "3f6c...", "job": "backfill", "status": "success",
     "started": "2024-10-25T12:00:00+00:00", "ended": "2024-10-25T12:00:05.250000+00:00", "duration_seconds": 5.25,
     "window": "2020-01-01..2024-10-24", "profile": "sample", "root_kind": "sample",
     "launched_by": "macrocredit backfill --start 2020-01-01",
     "host": "desk7", "pid": 4711, "pid_started": 1729857599.2,
     "versions": {"macrocredit_assets": "0.1.0", "dagster": "1.13.27"}, "tags": {}, "error": null,
     "assets": {"vix": {
        "status": "written", "window": "2020-01-01..2024-10-24", "series": "cboe:VIX", "ways": ["file:vix.csv"],
        "landing": [], "rows_read": 8900, "dropped": {"outside_window": 7688},
        "inserted": 1211, "changed": 1, "unchanged": 0, "vanished": 0, "withdrawn": 0,
        "changes": [{"date": "2020-03-16", "column": "close", "old": 82.6, "new": 82.69}],
        "row_count": 1212, "first": "2020-01-02", "last": "2024-10-24", "coverage": [["2020-01-01", "2024-10-24"]],
        "path": "/srv/credit/data/raw/vix.parquet", "content_hash": "sha256:...",
        "revision": 7, "known_at": "2024-10-25T12:00:04.1+00:00", "vanished_dates": [], "added_columns": [],
        "findings": [], "accepted": [], "seconds": {"fetch": 0.02, "conform": 0.01, "write": 0.008},
        "retries": 0, "error": null}},
     "checks": {"vix": {"values": "passed", "jumps": "warning"}}}

An asset's keys are the fields of :class:`~macrocredit_assets.persistence.records.AssetRecord` and of its
:class:`~macrocredit_assets.persistence.records.WriteResult`, which explain them. Where nothing was written, those of
the result are null.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from datetime import UTC, datetime
from typing import Any, Literal, TypeAlias, get_args

from macrocredit_assets.persistence.records import AssetRecord, ErrorInfo, WriteResult

__all__ = ["AssetEntry", "RunDocument", "RunHeader", "RunStatus", "asset_entry"]

#: ``started`` until a run ends; ``aborted`` where its process died without saying so.
RunStatus = Literal["started", "success", "failure", "canceled", "aborted"]

#: One dataset in a run log: plain values, in the order in which a person reads them.
AssetEntry: TypeAlias = dict[str, Any]

_DECIMALS_OF_SECONDS = 6


@dataclass(frozen=True)
class RunHeader:
    """What is known of a run when it starts.

    Parameters
    ----------
    run_id, job
        Dagster's identifier of the run, and the name of its job.
    started
        When it started, aware, in UTC. The run's folder is named by this date.
    profile, root_kind
        Which ways to the data are used, and whether these are ``sample`` or ``real`` data.
    window
        The dates asked for as ``2020-01-01..2024-10-24``; None where a run has none.
    launched_by
        The command line, or what launched it (``schedule daily_us``, ``backfill xyz``, ``ui``).
    host, pid, pid_started
        Where it runs; pid and start time (seconds since 1970) together name a process, as pids are used again.
    versions
        Package -> version.
    tags
        The run's tags that say who launched it.
    """

    run_id: str
    job: str
    started: datetime
    profile: str
    root_kind: str
    window: str | None
    launched_by: str
    host: str
    pid: int
    pid_started: float
    versions: Mapping[str, str] = field(default_factory=dict)
    tags: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class RunDocument:
    """A whole run log.

    Parameters
    ----------
    header
        What was known when it started.
    status
        How it ended, or ``started``.
    ended
        When it ended, aware, in UTC; None before.
    error
        What failed outside every dataset (a resource, the executor).
    assets
        Dataset -> its entry, in order of names.
    checks
        Dataset -> check -> ``passed``, ``warning`` or ``failed``; what a check found stands in no run log, since it can
        be asked again at any time.
    """

    header: RunHeader
    status: RunStatus = "started"
    ended: datetime | None = None
    error: ErrorInfo | None = None
    assets: Mapping[str, AssetEntry] = field(default_factory=dict)
    checks: Mapping[str, Mapping[str, str]] = field(default_factory=dict)

    @property
    def duration_seconds(self) -> float | None:
        """From start to end; None before the end."""
        if self.ended is None:
            return None
        return round((self.ended - self.header.started).total_seconds(), _DECIMALS_OF_SECONDS)

    def checks_that(self, outcome: str) -> dict[str, list[str]]:
        """Return the datasets with a check that ``passed``, gave a ``warning``, or ``failed``, and which those are."""
        found = {name: [check for check, came in said.items() if came == outcome] for name, said in self.checks.items()}
        return {name: checks for name, checks in found.items() if checks}

    def to_dict(self) -> dict[str, Any]:
        """Return what the file holds."""
        header = self.header
        return {
            "run_id": header.run_id,
            "job": header.job,
            "status": self.status,
            "started": _iso(header.started),
            "ended": None if self.ended is None else _iso(self.ended),
            "duration_seconds": self.duration_seconds,
            "window": header.window,
            "profile": header.profile,
            "root_kind": header.root_kind,
            "launched_by": header.launched_by,
            "host": header.host,
            "pid": header.pid,
            "pid_started": header.pid_started,
            "versions": dict(sorted(header.versions.items())),
            "tags": dict(sorted(header.tags.items())),
            "error": _error(self.error),
            "assets": dict(sorted(self.assets.items())),
            "checks": {name: dict(outcomes) for name, outcomes in sorted(self.checks.items())},
        }

    @classmethod
    def from_dict(cls, document: Mapping[str, Any]) -> RunDocument:
        """Read what :meth:`to_dict` gave; keys that it does not know are passed over.

        Raises
        ------
        ValueError
            If this is no run log; it says what is missing or wrong.
        """
        try:
            values = {name: document[name] for name in (header.name for header in fields(RunHeader))}
            values["started"] = _utc(values["started"])
            ended, error, status = document["ended"], document["error"], document["status"]
            if status not in get_args(RunStatus):
                raise ValueError(f"the status is {status!r}, known are {', '.join(get_args(RunStatus))}")
            return cls(
                header=RunHeader(**values),
                status=status,
                ended=None if ended is None else _utc(ended),
                error=None if error is None else ErrorInfo(error["type"], error["message"]),
                assets={str(name): dict(entry) for name, entry in document["assets"].items()},
                # absent in the logs of runs before there were checks
                checks={str(name): dict(outcomes) for name, outcomes in document.get("checks", {}).items()},
            )
        except (AttributeError, KeyError, TypeError) as problem:
            raise ValueError(f"this is no run log: {problem!r}") from problem


def asset_entry(record: AssetRecord) -> AssetEntry:
    """Return what a run log holds of one dataset."""
    return {
        "status": record.status,
        "window": None if record.window is None else str(record.window),
        "series": record.series,
        "ways": list(record.ways),
        "landing": list(record.landing),
        "rows_read": record.rows_read,
        "dropped": dict(record.dropped),
        **_result(record.result),
        "findings": [finding.to_dict() for finding in record.findings],
        "accepted": list(record.accepted),
        "seconds": {step: round(spent, _DECIMALS_OF_SECONDS) for step, spent in record.seconds.items()},
        "retries": record.retries,
        "error": _error(record.error),
    }


def _result(result: WriteResult | None) -> dict[str, Any]:
    if result is None:
        return dict.fromkeys(_RESULT_KEYS)
    return {
        **{key: getattr(result, key) for key in _RESULT_KEYS},
        "changes": [
            {"date": change.date, "column": change.column, "old": change.old, "new": change.new}
            for change in result.changes
        ],
        "coverage": result.coverage.to_pairs(),
    }


#: Fields of a :class:`WriteResult` in the order of the file; the asset's status says whether it was written.
_RESULT_KEYS = (
    "inserted",
    "changed",
    "unchanged",
    "vanished",
    "withdrawn",
    "changes",
    "row_count",
    "first",
    "last",
    "coverage",
    "path",
    "content_hash",
    "revision",
    "known_at",
    "vanished_dates",
    "added_columns",
)


def _error(error: ErrorInfo | None) -> dict[str, str] | None:
    return None if error is None else {"type": error.type, "message": error.message}


def _iso(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat()


def _utc(text: str) -> datetime:
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        raise ValueError(f"{text!r} has no time zone")
    return moment.astimezone(UTC)
