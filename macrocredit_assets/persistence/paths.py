"""What callers may give as a path, and what becomes of it; nothing here touches a file."""

from __future__ import annotations

import os
from pathlib import Path

__all__ = ["StrPath", "absolute"]

StrPath = str | os.PathLike[str]


def absolute(path: StrPath) -> Path:
    """Return a path as absolute and without ``..``; ``~`` is the user's home, symbolic links stay as they are."""
    return Path(os.path.abspath(Path(path).expanduser()))  # noqa: PTH100 - Path.resolve would follow links
