"""Where the values of a revision stood before they were ours: in a kept answer, or in a file of the user's.

What belongs here: from a revision's ways to lines of text, and what is said where there are none any more.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path, PurePosixPath

from macrocredit_assets.catalog import DatasetSpec
from macrocredit_assets.catalog.ways import FileWay
from macrocredit_assets.errors import CorruptFileError, UnreadableSourceError, UsageError
from macrocredit_assets.persistence import Revision
from macrocredit_assets.persistence.landing import Landing
from macrocredit_assets.settings import Settings
from macrocredit_assets.sources.profiles import way_label
from macrocredit_assets.trace.lines import Line, lines_of_answer, lines_of_file

__all__ = ["Origin", "origins"]


@dataclass(frozen=True)
class Origin:
    """What one way of a revision said of a day.

    Parameters
    ----------
    way
        Its label, ``fred:DGS10``.
    path
        The kept answer, or the file; None where there is neither.
    lines
        What it says of the day.
    note
        A sentence that goes with it: why there is no line, or what to beware of.
    """

    way: str
    path: Path | None = None
    lines: tuple[Line, ...] = ()
    note: str | None = None

    @property
    def tells(self) -> bool:
        """Whether it has a value for the day."""
        return any(not line.empty for line in self.lines)


def origins(settings: Settings, spec: DatasetSpec, revision: Revision, day: date) -> tuple[Origin, ...]:
    """Return what the ways of a revision said of a day, up to the first that had a value.

    Ways stand in their order of preference: of those that had a value, the value of the first was stored.
    """
    found: list[Origin] = []
    for label in revision.ways:
        found.append(_origin(settings, spec, revision, label, day))
        if found[-1].tells:
            break
    return tuple(found)


def _origin(settings: Settings, spec: DatasetSpec, revision: Revision, label: str, day: date) -> Origin:
    source, _, asked = label.partition(":")
    answers = [path for path in revision.landing if _is_of(path, source)]
    if answers:
        return _in_answers(settings, label, answers, day)
    if source == "file":
        return _in_file(settings, spec, revision, label, day)
    if source == "history":
        return Origin(
            label, note=f"{asked} was stored by `ingest --history`: the command of the run says where it lay."
        )
    if source == "sample":
        return Origin(label, note="Simulated: nobody was asked.")
    return Origin(label, note="No answer was kept: the source keeps none, or did not yet.")


def _is_of(path: str, source: str) -> bool:
    """Tell whether an answer is one of a source's: ``landing/fred/DGS10/...`` is one of fred and of fred_api."""
    folder = PurePosixPath(path).parts[1]
    return source == folder or source.startswith(f"{folder}_")


def _in_answers(settings: Settings, label: str, answers: Sequence[str], day: date) -> Origin:
    """Look for a day in the answers of a way: they are pages of one, so it stands in one of them or in none."""
    notes: list[str] = []
    gone: list[str] = []
    there: Path | None = None
    for answer in answers:
        path = settings.data_directory / answer
        try:
            body = Landing(settings.landing_directory).read(answer)
        except FileNotFoundError:
            gone.append(path.name)
            continue
        except (CorruptFileError, UsageError) as error:
            there = path
            notes.append(str(error))
            continue
        there = path
        lines = lines_of_answer(body, PurePosixPath(answer).parts[1], path.suffixes[-2][1:], day)
        if lines:
            return Origin(label, path, lines)
        notes.append(f"No line of it is about {day}.")
    if gone:
        which = gone[0] if len(answers) == 1 else f"{len(gone)} of its {len(answers)} answers"
        notes.append(f"{which} {'is' if len(gone) == 1 else 'are'} kept no more: {_retention(settings)}.")
    return Origin(label, there, note=" ".join(dict.fromkeys(notes)))


def _retention(settings: Settings) -> str:
    if settings.landing_days is None:
        return "somebody has removed it, or MACROCREDIT_LANDING_DAYS was set once"
    return f"answers stay for {settings.landing_days} days (MACROCREDIT_LANDING_DAYS)"


def _in_file(settings: Settings, spec: DatasetSpec, revision: Revision, label: str, day: date) -> Origin:
    ways = (way for way in spec.ways if isinstance(way, FileWay) and way_label(way) == label)
    way = next((way for way in ways if way.series == revision.series), None)
    if way is None:
        return Origin(label, note="The catalog has no such way any more: how the file is read is not known.")
    if settings.files is None:
        return Origin(label, note="MACROCREDIT_FILES is not set: where the file lies is not known.")
    path = settings.files / way.path
    try:
        lines = lines_of_file(path, way, spec.name, day)
        changed = datetime.fromtimestamp(path.stat().st_mtime, UTC)
    except FileNotFoundError:
        return Origin(label, path, note="The file is not there any more.")
    except (OSError, UnreadableSourceError) as error:
        return Origin(label, path, note=f"The file cannot be read now: {error}")
    notes = [] if lines else [f"No line of it is about {day}."]
    if changed > revision.known_at:
        notes.append(f"The file was changed since, on {changed:%Y-%m-%d %H:%M} UTC: it may have said something else.")
    return Origin(label, path, lines, " ".join(notes) or None)
