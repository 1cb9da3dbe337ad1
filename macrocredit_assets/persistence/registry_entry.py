"""One entry of the registry: its fields, and the way to and from JSON. Nothing here reads a file."""

from __future__ import annotations

from collections.abc import Mapping
from copy import deepcopy
from dataclasses import dataclass, field, replace
from datetime import date, datetime, time
from typing import Any

__all__ = ["DatasetEntry", "check_arguments", "check_shape", "iso_moment"]

_FIELDS = (
    "instrument",
    "tenor",
    "file_path",
    "start_date",
    "end_date",
    "row_count",
    "registered_at",
    "last_updated",
)
_KNOWN = frozenset((*_FIELDS, "metadata"))


@dataclass(frozen=True)
class DatasetEntry:
    """What the registry knows of one dataset.

    Parameters
    ----------
    instrument, tenor
        What it is about (``CDX.NA.IG``, ``5Y``).
    file_path
        POSIX path, relative to the parent of the data directory; absolute where the file lies elsewhere.
    start_date, end_date
        First and last date of the file, ISO 8601; None where it has none, or does not exist yet.
    row_count
        Rows of the file; None where it does not exist yet.
    registered_at, last_updated
        When the entry was first made, and last written; ISO 8601, UTC.
    metadata
        Everything else, as JSON values.
    unknown
        Fields that another version wrote beside these; kept as they are.
    """

    instrument: str
    file_path: str
    tenor: str | None = None
    start_date: str | None = None
    end_date: str | None = None
    row_count: int | None = None
    registered_at: str | None = None
    last_updated: str | None = None
    metadata: Mapping[str, Any] = field(default_factory=dict)
    unknown: Mapping[str, Any] = field(default_factory=dict)

    def to_dict(self) -> dict[str, Any]:
        """Return the entry as it stands in the file; a copy, all the way down."""
        known = {name: getattr(self, name) for name in _FIELDS}
        return deepcopy({**known, "metadata": dict(self.metadata), **self.unknown})

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> DatasetEntry:
        """Read what :meth:`to_dict` wrote; fields it does not know are kept in ``unknown``.

        Raises
        ------
        ValueError
            If ``instrument`` or ``file_path`` is missing, or ``metadata`` is no mapping.
        """
        return cls.of(deepcopy(dict(data)))

    @classmethod
    def of(cls, data: Mapping[str, Any]) -> DatasetEntry:
        """Read as :meth:`from_dict` does what nobody else holds: nothing is copied, which takes most of its time."""
        check_shape(data)
        known: dict[str, Any] = {name: data.get(name) for name in _FIELDS}
        unknown = {name: value for name, value in data.items() if name not in _KNOWN}
        return cls(**known, metadata=data.get("metadata") or {}, unknown=unknown)

    def succeeding(self, before: DatasetEntry | None) -> DatasetEntry:
        """Return this entry with what must survive of the one it replaces.

        That is ``registered_at``, unknown fields, and those keys of the metadata that this one does not set.
        """
        if before is None:
            return self
        return replace(
            self,
            registered_at=before.registered_at or self.registered_at,
            metadata={**before.metadata, **self.metadata},
            unknown={**before.unknown, **self.unknown},
        )


def check_arguments(name: object, instrument: object, tenor: object, metadata: object) -> None:
    """Raise TypeError or ValueError where an entry of these could not be read back."""
    if not isinstance(name, str):
        raise TypeError(f"The name of a dataset is text, not {_typed(name)}.")
    if not name:
        raise ValueError("A dataset needs a name; it is ''.")
    if not isinstance(instrument, str):
        raise TypeError(f"The instrument of {name!r} is text, not {_typed(instrument)}.")
    if not isinstance(tenor, str | None):
        raise TypeError(f"The tenor of {name!r} is text or None, not {_typed(tenor)}.")
    if not isinstance(metadata, Mapping | None):
        raise TypeError(f"The metadata of {name!r} are a mapping, not {_typed(metadata)}.")


def check_shape(data: Mapping[str, Any]) -> None:
    """Raise ValueError where an entry lacks what every entry has."""
    missing = [name for name in ("instrument", "file_path") if not isinstance(data.get(name), str)]
    if missing:
        raise ValueError(f"A registry entry needs {' and '.join(missing)} as text; it has {', '.join(data) or '-'}.")
    if not isinstance(data.get("metadata") or {}, Mapping):
        found = data["metadata"]
        # not TypeError: the document is wrong, not the call
        raise ValueError(f"The metadata of a registry entry must be an object, not {found!r}.")  # noqa: TRY004


def iso_moment(moment: date | None) -> str | None:
    """Return a date as the registry writes it: ``2024-01-01T00:00:00``, with the offset where there is one."""
    if moment is None:
        return None
    if not isinstance(moment, datetime):
        moment = datetime.combine(moment, time())
    return moment.isoformat()


def _typed(value: object) -> str:
    return f"{value!r} ({type(value).__name__})"
