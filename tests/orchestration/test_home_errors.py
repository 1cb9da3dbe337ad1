"""A home that Dagster cannot use is said in a sentence, with its path."""

from __future__ import annotations

import errno
from pathlib import Path

import pytest
from sqlalchemy import create_engine, text

from macrocredit_assets.errors import SettingsError
from macrocredit_assets.orchestration.home_errors import database_errors
from macrocredit_assets.orchestration.instance import open_instance


@pytest.mark.parametrize(
    ("content", "said"), [("telemetry: [", "expected the node content"), ("telemetri: {}", 'entry "telemetri"')]
)
def test_settings_that_dagster_cannot_use(tmp_path: Path, content: str, said: str) -> None:
    """A dagster.yaml that does not parse, or says what Dagster does not know, is named and left as it is."""
    path = tmp_path / "dagster.yaml"
    path.write_text(content)
    with pytest.raises(SettingsError) as caught, open_instance(tmp_path):
        pass
    assert str(caught.value).startswith(f"{path} cannot be used: ")
    assert said in str(caught.value)
    assert len(str(caught.value)) < 400
    assert path.read_text() == content


def test_database_that_cannot_grow_is_a_full_disk(tmp_path: Path) -> None:
    """What SQLite says of a full disk is an OSError with the system's number, and the home's path."""
    engine = create_engine(f"sqlite:///{tmp_path / 'runs.db'}")
    grow = text("CREATE TABLE runs (id INTEGER)")
    with engine.connect() as connection:
        # as on a full disk, the database may not become larger than it is
        connection.execute(text("PRAGMA max_page_count = 1"))
        with pytest.raises(OSError, match="database or disk is full") as caught, database_errors(tmp_path):
            connection.execute(grow)
    engine.dispose()
    assert (caught.value.errno, caught.value.filename) == (errno.ENOSPC, str(tmp_path))


def test_database_that_cannot_be_opened_is_a_missing_permission(tmp_path: Path) -> None:
    """Where SQLite cannot open its file, the number is that of a missing permission."""
    (tmp_path / "runs.db").mkdir()
    engine = create_engine(f"sqlite:///{tmp_path / 'runs.db'}")
    with pytest.raises(OSError, match="unable to open") as caught, database_errors(tmp_path):
        engine.connect()
    assert caught.value.errno == errno.EACCES
