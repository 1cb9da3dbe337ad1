"""Places that cannot be written, and what the operating system refuses: said before anything is started."""

from __future__ import annotations

import errno
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import Result

from macrocredit_assets.cli.places import explained

Run = Callable[..., Result]

_WRITERS = {
    "backfill": ["backfill", "vix", "--start", "2024-01-02", "--end", "2024-01-05"],
    "migrate": ["migrate", "vix"],
    "ui": ["ui", "--port", "65123"],
}


@pytest.mark.parametrize("place", ["", "data", "data/raw", "logs", "logs/runs", ".dagster"])
@pytest.mark.parametrize("command", _WRITERS)
def test_file_where_a_folder_is_expected_is_refused_at_once(run: Run, tmp_path: Path, command: str, place: str) -> None:
    """Nothing starts, the file is named with what to do about it, and stays as it is."""
    blocking = tmp_path / "fresh" / place
    blocking.parent.mkdir(parents=True, exist_ok=True)
    blocking.write_text("mine")
    result = run(*_WRITERS[command])
    assert result.exit_code == 2
    assert f"{blocking} is a file, where a folder is expected. Move it away." in result.stderr
    assert "Nothing was started." in result.stderr
    assert result.stdout == ""
    assert blocking.read_text() == "mine"


def test_reading_where_a_file_stands_in_the_way_says_so(run: Run, tmp_path: Path) -> None:
    """What reads names the file that is no folder too."""
    (tmp_path / "fresh").mkdir()
    (tmp_path / "fresh" / "data").write_text("")
    result = run("registry", "list")
    assert result.exit_code == 1
    assert f"{tmp_path / 'fresh' / 'data'} is a file, where a folder is expected" in result.stderr
    assert isinstance(result.exception, SystemExit)


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (
            OSError(errno.ENOSPC, "No space left on device", "/srv/x.parquet"),
            "/srv/x.parquet: No space left on device.",
        ),
        (OSError(errno.ENOSPC, "No space left on device"), "Make room and repeat the command"),
        (OSError(errno.EACCES, "Permission denied", "/srv/x.parquet"), "`macrocredit doctor`"),
        (OSError(errno.EROFS, "Read-only file system", b"/srv/x.parquet"), "/srv/x.parquet: Read-only file system."),
        (OSError(errno.EIO, "Input/output error", "/srv/x.parquet"), "/srv/x.parquet: Input/output error."),
    ],
)
def test_what_the_system_refuses_is_a_sentence(error: OSError, said: str) -> None:
    """The path and the reason are named without a number, with the remedy where there is one."""
    assert said in explained(error)
    assert "Errno" not in explained(error)
