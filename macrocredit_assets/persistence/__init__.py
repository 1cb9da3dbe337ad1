"""Files in, files out: Parquet, JSON, the registry, the rows of a dataset, the record of a run.

Works without Dagster, a catalog or any setting::

    from macrocredit_assets.persistence import DataRegistry, load_parquet, save_json, save_parquet

What belongs here: code that takes paths, frames and plain values. What must not: Dagster, the catalog, the environment.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from macrocredit_assets.persistence.accepted import Accepted
    from macrocredit_assets.persistence.dataset_store import DatasetStore, StoredHead
    from macrocredit_assets.persistence.json_io import EnhancedJSONEncoder, load_json, save_json
    from macrocredit_assets.persistence.parquet_io import list_parquet_files, load_parquet, save_parquet
    from macrocredit_assets.persistence.records import AssetRecord, ErrorInfo, Provenance, Seen, SeenInput, WriteResult
    from macrocredit_assets.persistence.registry import DataRegistry, DatasetEntry
    from macrocredit_assets.persistence.revisions import Revision
    from macrocredit_assets.persistence.root_kind import read_root_kind, stamp_root
    from macrocredit_assets.persistence.run_log import RunHeader, RunLog, read_runs

__all__ = [
    "Accepted",
    "AssetRecord",
    "DataRegistry",
    "DatasetEntry",
    "DatasetStore",
    "EnhancedJSONEncoder",
    "ErrorInfo",
    "Provenance",
    "Revision",
    "RunHeader",
    "RunLog",
    "Seen",
    "SeenInput",
    "StoredHead",
    "WriteResult",
    "list_parquet_files",
    "load_json",
    "load_parquet",
    "read_root_kind",
    "read_runs",
    "save_json",
    "save_parquet",
    "stamp_root",
]

# Who reads JSON need not wait for pandas and Arrow: a module is imported when a name of it is first used (PEP 562).
_HOMES = {
    "accepted": ("Accepted",),
    "dataset_store": ("DatasetStore", "StoredHead"),
    "json_io": ("EnhancedJSONEncoder", "load_json", "save_json"),
    "parquet_io": ("list_parquet_files", "load_parquet", "save_parquet"),
    "records": ("AssetRecord", "ErrorInfo", "Provenance", "Seen", "SeenInput", "WriteResult"),
    "registry": ("DataRegistry", "DatasetEntry"),
    "revisions": ("Revision",),
    "root_kind": ("read_root_kind", "stamp_root"),
    "run_log": ("RunHeader", "RunLog", "read_runs"),
}
_HOME_OF = {name: module for module, names in _HOMES.items() for name in names}


def __getattr__(name: str) -> object:
    if name not in _HOME_OF:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value: object = getattr(import_module(f"{__name__}.{_HOME_OF[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
