"""Answers are kept as they came, once each, for as long as was said."""

from __future__ import annotations

import gzip
import os
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest

from macrocredit_assets.errors import CorruptFileError, UsageError
from macrocredit_assets.persistence.landing import Landing

NOON = datetime(2026, 11, 23, 12, 0, 3, tzinfo=UTC)
DAY = timedelta(days=1)
#: The first 16 digits of `printf 'DATE,DGS10\n' | sha256sum`
BODY, DIGEST = b"DATE,DGS10\n", "6b93c230f8e9fa3d"


def landing(tmp_path: Path, keep_days: int | None = None) -> Landing:
    """Return the landing of a data directory."""
    return Landing(tmp_path / "data" / "landing", keep_days)


def kept(tmp_path: Path) -> list[str]:
    """Return what lies in the landing, lock files aside."""
    files = (path for path in (tmp_path / "data").rglob("*") if path.is_file() and not path.name.startswith("."))
    return sorted(path.relative_to(tmp_path / "data").as_posix() for path in files)


def test_an_answer_lies_where_its_name_says(tmp_path: Path) -> None:
    """Source, series, the moment in UTC, the hash of the bytes; the same bytes come back."""
    at = NOON.astimezone(timezone(timedelta(hours=-5)))
    path = landing(tmp_path).keep("fred", "DGS10", BODY, at, "csv")
    assert path == f"landing/fred/DGS10/20261123T120003Z-{DIGEST}.csv.gz"
    assert kept(tmp_path) == [path]
    assert gzip.decompress((tmp_path / "data" / path).read_bytes()) == BODY
    assert landing(tmp_path).read(path) == BODY


def test_the_same_body_gives_the_same_file(tmp_path: Path) -> None:
    """The bytes on disk follow from the answer alone, so that a backup sees no change."""
    paths = [Landing(tmp_path / name / "landing").keep("fred", "X", BODY * 99, NOON, "csv") for name in "ab"]
    assert paths[0] == paths[1]
    assert (tmp_path / "a" / paths[0]).read_bytes() == (tmp_path / "b" / paths[1]).read_bytes()


def test_identical_bodies_lie_once(tmp_path: Path) -> None:
    """What came before is named again, in its series; another series, or another body, is another file."""
    store = landing(tmp_path)
    first = store.keep("fred", "DGS10", BODY, NOON, "csv")
    assert store.keep("fred", "DGS10", BODY, NOON + DAY, "csv") == first
    others = {store.keep("fred", "DGS2", BODY, NOON, "csv"), store.keep("fred", "DGS10", b"{}", NOON, "json")}
    assert kept(tmp_path) == sorted({first, *others})
    assert len(others) == 2


def test_old_answers_go_and_the_newest_stays(tmp_path: Path) -> None:
    """Age counts from when a body came last; without a number of days nothing goes."""
    store = landing(tmp_path)
    old, again, new = (store.keep("fred", "X", body, NOON, "csv") for body in (b"1", b"2", b"3"))
    store.keep("fred", "X", b"2", NOON + 20 * DAY, "csv")
    other = store.keep("fred", "Y", b"1", NOON, "csv")
    assert kept(tmp_path) == sorted({old, again, new, other})

    late = landing(tmp_path, keep_days=10).keep("fred", "X", b"4", NOON + 30 * DAY, "csv")
    # the second came again exactly ten days before
    assert kept(tmp_path) == sorted({again, late, other})
    assert landing(tmp_path, keep_days=1).keep("fred", "Y", b"1", NOON + 999 * DAY, "csv") == other
    assert other in kept(tmp_path)


def test_what_others_put_there_is_left(tmp_path: Path) -> None:
    """A file without the name of an answer is nobody's to delete."""
    store = landing(tmp_path, keep_days=1)
    store.keep("fred", "X", b"1", NOON, "csv")
    note = tmp_path / "data/landing/fred/X/notes.txt"
    note.write_text("mine")
    os.utime(note, (0, 0))
    store.keep("fred", "X", b"2", NOON + 5 * DAY, "csv")
    assert note.read_text() == "mine"
    assert len(kept(tmp_path)) == 2


@pytest.mark.parametrize(
    ("series", "folder"),
    [
        ("../../registry", "%2E.%2F..%2Fregistry"),
        ("..", "%2E."),
        (".", "%2E"),
        ("", "%"),
        ("CDX IG CDSI GEN 5Y Corp", "CDX IG CDSI GEN 5Y Corp"),
        ("A/B", "A%2FB"),
        ("A%2FB", "A%252FB"),
        ("a\0b\n", "a%00b%0A"),
    ],
)
def test_no_series_leads_out_of_its_folder(tmp_path: Path, series: str, folder: str) -> None:
    """Whatever a series is called, it is one folder below its source, and no two are the same."""
    path = landing(tmp_path).keep("fred", series, BODY, NOON, "csv")
    assert path.split("/")[:-1] == ["landing", "fred", folder]
    assert kept(tmp_path) == [path]
    assert landing(tmp_path).read(path) == BODY


@pytest.mark.parametrize("path", ["registry.json", "landing/../registry.json", "/etc/passwd", ""])
def test_nothing_else_is_read(tmp_path: Path, path: str) -> None:
    """A record that names another file than an answer is not followed."""
    with pytest.raises(UsageError, match="no path of an answer"):
        landing(tmp_path).read(path)


def test_an_answer_that_went_is_not_there(tmp_path: Path) -> None:
    """Who asks for it can tell that from a broken one."""
    with pytest.raises(FileNotFoundError):
        landing(tmp_path).read(f"landing/fred/X/20261123T120003Z-{DIGEST}.csv.gz")


@pytest.mark.parametrize(
    "content",
    [b"DATE", gzip.compress(BODY)[:-4], gzip.compress(BODY)[:12] + b"\xff" * 20, gzip.compress(b"other bytes")],
    ids=["no gzip", "cut off", "garbled", "exchanged"],  # the bytes hold the moment
)
def test_a_broken_answer_is_told(tmp_path: Path, content: bytes) -> None:
    """No gzip, cut off, garbled, or exchanged: never passed off as what came."""
    path = landing(tmp_path).keep("fred", "DGS10", BODY, NOON, "csv")
    (tmp_path / "data" / path).write_bytes(content)
    with pytest.raises(CorruptFileError, match="What was stored of it stands"):
        landing(tmp_path).read(path)
