"""The Parquet IO manager: between Dagster's contexts and the store, which takes paths, windows and frames.

What belongs here: which window and which columns a context means, and who is told of a write. What must not: how bytes
are written (``persistence``), or what a good row is (``ingest``). It derives from ``ConfigurableIOManager``, since
``UPathIOManager`` refuses partition ranges and writes straight to the final path.
"""

from collections.abc import Iterator, Mapping, Sequence
from datetime import timedelta
from functools import cached_property, reduce
from pathlib import Path
from typing import cast

import dagster as dg
import pandas as pd
import pyarrow as pa

from macrocredit_assets.catalog import Catalog, DatasetSpec, SignalSpec, load_catalog
from macrocredit_assets.catalog.lookback import stretches
from macrocredit_assets.errors import NotCoveredError, UsageError
from macrocredit_assets.ingest import Ingested, SignalInput, own_series, stored_beside, take
from macrocredit_assets.orchestration.dagster_private import set_partition_metadata
from macrocredit_assets.orchestration.metadata import COLUMNS, LOOKBACK_ROWS, LOOKBACK_SHARED
from macrocredit_assets.orchestration.partitions import today, window_of
from macrocredit_assets.orchestration.tags import ACCEPT, accepted_rules, allows_withdrawals, switch_reason
from macrocredit_assets.orchestration.violations import violations_shown
from macrocredit_assets.orchestration.write_details import told_of_write
from macrocredit_assets.persistence import DatasetStore
from macrocredit_assets.persistence.records import SeenInput
from macrocredit_assets.persistence.root_kind import stamp_root
from macrocredit_assets.settings import Profile, Settings
from macrocredit_assets.stores import open_store
from macrocredit_assets.windows import EARLIEST, Coverage, Window
from macrocredit_assets.writing import tell, write

__all__ = ["ParquetIOManager"]


class ParquetIOManager(dg.ConfigurableIOManager):
    """Write windows of datasets to Parquet, and load them back.

    A write is whole or not at all, whatever its window: one partition, a range, or all. What it did is recorded in the
    materialization's metadata, in the registry and in the run log, from one record.

    An asset may return an :class:`~macrocredit_assets.ingest.Ingested`, a ``pandas.DataFrame`` with a ``date`` index,
    or a ``pyarrow.Table`` with a ``date`` column; a consumer is given a ``pyarrow.Table`` or a ``SignalInput`` where
    its parameter says so, and a ``pandas.DataFrame`` elsewhere. Metadata on the input may name ``macrocredit/columns``.

    Parameters
    ----------
    root
        Folder that holds everything.
    profile
        Which ways to the data this deployment uses; decides whether the root holds sample or real data.
    catalog
        A catalog file of your own, or None.

    Raises
    ------
    NotCoveredError
        On a load, where no date of the window was ever ingested.
    StoreError
        On a write of another series, another schema, or rows outside the window; nothing is written.
    """

    root: str
    profile: str = "sample"
    catalog: str | None = None

    def handle_output(self, context: dg.OutputContext, obj: Ingested | pd.DataFrame | pa.Table) -> None:
        """Write one window, and tell metadata, registry and run log."""
        entry = self._entry(context.asset_key)
        window = window_of(context.asset_partition_key_range)
        tags = context.step_context.dagster_run.tags
        ingested = obj if isinstance(obj, Ingested) else self._taken(obj, entry, window, accepted_rules(tags))
        stamp_root(self._settings.data_directory, self._settings.kind)
        record = write(
            self._settings,
            entry,
            ingested,
            run_id=context.run_id,
            withdraw=allows_withdrawals(tags),
            switch_reason=switch_reason(tags),
        )
        run_log = tell(
            self._settings,
            entry,
            record,
            run_id=context.run_id,
            asset_key=context.asset_key.to_user_string(),
            code_version=context.step_context.job_def.asset_layer.get(context.asset_key).code_version,
        )
        set_partition_metadata(
            context, told_of_write(self._settings, entry, record, window, run_log.path, today=today())
        )

    def load_input(self, context: dg.InputContext) -> pd.DataFrame | pa.Table | SignalInput:
        """Load what is asked for as one frame: one partition, a range, or everything."""
        entry = self._entry(context.asset_key)
        store = open_store(self._settings, entry)
        window = window_of(context.asset_partition_key_range) if context.has_asset_partitions else None
        # before the rows: what is written in between is then taken for unseen, never the other way round
        revision = store.last_revision()
        coverage = self._require_coverage(store, window)
        wanted = context.definition_metadata
        widened, columns = self._widen(window, wanted), cast("Sequence[str] | None", wanted.get(COLUMNS))
        expected = context.dagster_type.typing_type
        if expected is pa.Table:
            return store.read(widened, columns)
        if expected is not SignalInput:
            return store.read_frame(widened, columns)
        # what is computed must follow from rows that were stored, not from what became of them since
        frame = store.read_frame(widened, columns, checked=True)
        # 0: rows without a revision, or none; what comes later is then told from what was seen
        seen = SeenInput(revision.number, revision.known_at) if revision else SeenInput(0, None)
        return SignalInput(frame, coverage, seen)

    @cached_property
    def _settings(self) -> Settings:
        root = Path(self.root)
        return Settings(
            root=root,
            dagster_home=root / ".dagster",
            profile=cast("Profile", self.profile),
            catalog=Path(self.catalog) if self.catalog else None,
        )

    @cached_property
    def _catalog(self) -> Catalog:
        return load_catalog(self._settings.catalog)

    def _entry(self, key: dg.AssetKey) -> DatasetSpec | SignalSpec:
        if len(key.path) != 1:
            raise UsageError(
                f"The asset {key.to_user_string()!r} cannot be stored by the Parquet IO manager: a dataset's key is "
                "its name alone, so that two keys never share one file. Give the asset a key of one part."
            )
        return self._catalog.entry(key.path[0])

    def _taken(self, obj: object, entry: DatasetSpec | SignalSpec, window: Window, accept: frozenset[str]) -> Ingested:
        stored = stored_beside(open_store(self._settings, entry, as_stored=True), window, own_series(entry))
        with violations_shown():
            return take(entry, window, _as_frame(obj, entry.name), stored=stored, accept=accept, accept_tag=ACCEPT)

    def _require_coverage(self, store: DatasetStore, window: Window | None) -> Coverage:
        head = store.head()
        coverage = head.coverage if head else Coverage()
        if not (coverage.clip(window) if window else coverage):
            start, end = (window.start, window.end) if window else (EARLIEST, None)
            raise NotCoveredError(
                f"{store.name} has no ingested date in {window or 'any window'}; covered: {coverage}. Fill it with: "
                f"macrocredit backfill {store.name} --start {start}" + (f" --end {end}" if end else "")
            )
        return coverage

    def _widen(self, window: Window | None, wanted: Mapping[str, object]) -> Window | None:
        """Move the start back so that the rows before the window fill the consumer's lookback; over no hole."""
        rows = cast("int", wanted.get(LOOKBACK_ROWS, 0))
        if window is None or not rows:
            return window
        columns = cast("Sequence[str]", wanted[LOOKBACK_SHARED])
        stretch = next((each for each in self._stretches(columns).windows if window.start in each), window)
        if stretch.start >= window.start:
            return window
        before = Window(stretch.start, window.start - timedelta(days=1))
        shared = reduce(pd.Index.intersection, self._dates(before, columns))
        if shared.empty:
            return window
        # rows of one input alone would fall short: inputs are joined, and each has days the other lacks
        return Window(shared[-min(rows, len(shared))].date(), window.end)

    def _stretches(self, columns: Sequence[str]) -> Coverage:
        entries = [self._catalog.entry(name) for name in dict.fromkeys(column.partition(".")[0] for column in columns)]
        heads = [open_store(self._settings, entry).head() for entry in entries]
        return stretches(
            (entry, head.coverage if head else Coverage()) for entry, head in zip(entries, heads, strict=True)
        )

    def _dates(self, window: Window, columns: Sequence[str]) -> Iterator[pd.Index]:
        for column in columns:
            dataset, _, name = column.partition(".")
            store = open_store(self._settings, self._catalog.entry(dataset))
            yield store.read_frame(window, [name])[name].dropna().index


def _as_frame(obj: object, name: str) -> pd.DataFrame:
    # a table that pandas wrote knows its index; any other has a column
    frame = obj.to_pandas() if isinstance(obj, pa.Table) else obj
    if isinstance(frame, pd.DataFrame):
        if "date" in frame.columns:
            return frame.set_index("date")
        if isinstance(frame.index, pd.DatetimeIndex):
            return frame
    raise UsageError(
        f"The asset {name} returned a {type(obj).__name__} without dates; return a pandas.DataFrame with dates as its "
        "index, a pyarrow.Table with a column 'date', or an Ingested. Nothing was stored."
    )
