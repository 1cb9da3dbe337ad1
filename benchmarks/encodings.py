"""How Parquet could be laid out, beside how it is: ``uv run --group bench python -m benchmarks.encodings``.

Each layout is written to memory and read back, in turn with the others, without the disk: what is measured is encoding
and decoding. Answers are compared. The first row is the layout of ``macrocredit_assets/persistence/encoding.py``, byte
for byte.
"""

from __future__ import annotations

import statistics
from collections.abc import Callable, Mapping
from itertools import accumulate
from time import perf_counter

import pyarrow as pa
import pyarrow.parquet as pq

from benchmarks import material
from macrocredit_assets.persistence.encoding import write_table

_Write = Callable[[pa.Table, pa.BufferOutputStream], None]

_PLAIN = {"use_dictionary": False, "write_statistics": ["date"]}


def main() -> None:
    """Print a table for a dataset, and one for a row of a panel."""
    quotes = pa.Table.from_pandas(material.quotes())
    _print("5,900 rows of 5 columns", _in_order(quotes), rounds=60)
    row = pa.Table.from_pandas(material.wide().iloc[[-1]])
    _print("1 row of 1,000 columns", _in_order(row), rounds=10)


def _in_order(table: pa.Table) -> pa.Table:
    """Return a table as stores have it: ``date`` first, and nothing about pandas."""
    names = [name for name in table.column_names if name != "date"]
    return table.select(["date", *names]).replace_schema_metadata(None)


def _layouts(table: pa.Table) -> Mapping[str, _Write]:
    streams = {name: "BYTE_STREAM_SPLIT" for name in table.column_names if name != "date"}
    ours = {**_PLAIN, "compression": "lz4", "column_encoding": {"date": "DELTA_BINARY_PACKED", **streams}}
    return {
        "ours: lz4, bytes in streams, 4,096 rows a group": _layout(**ours, row_group_size=4096),
        "the same, 512 rows a group": _layout(**ours, row_group_size=512),
        "the same, one group": _layout(**ours),
        "the same, with a page index": _layout(**ours, row_group_size=4096, write_page_index=True),
        "plain, lz4": _layout(**_PLAIN, compression="lz4", row_group_size=4096),
        "plain, zstd": _layout(**_PLAIN, compression="zstd", row_group_size=4096),
        "plain, not compressed": _layout(**_PLAIN, compression="none", row_group_size=4096),
        "dictionaries, zstd": _layout(compression="zstd", write_statistics=["date"], row_group_size=4096),
        "pyarrow's defaults": _layout(),
    }


def _layout(**options: object) -> _Write:
    return lambda table, target: pq.write_table(table, target, **options)


def _print(title: str, table: pa.Table, rounds: int) -> None:
    layouts = _layouts(table)
    files = {name: _written(write, table) for name, write in layouts.items()}
    if not files[next(iter(layouts))].equals(_written(write_table, table)):
        raise AssertionError("our own layout is another one by now")
    column, row = table.column_names[-1], len(table) * 4 // 5
    asks: dict[str, Callable[[str], object]] = {
        "write": lambda name: _written(layouts[name], table),
        "read all": lambda name: _read(files[name]),
        "with threads": lambda name: _read(files[name], use_threads=True),
        "1 column of a month": lambda name: _read_around(files[name], row, column),
    }
    for name, file in files.items():
        if not _read(file).equals(table):
            raise AssertionError(f"{name}: other rows came back")
    print(f"**{title}** (ms, kB)\n\n| | {' | '.join(asks)} | size |\n| --- |{' ---: |' * (len(asks) + 1)}")
    taken: dict[str, dict[str, list[float]]] = {name: {ask: [] for ask in asks} for name in layouts}
    for _ in range(rounds):
        for name, times in taken.items():
            for ask, run in asks.items():
                started = perf_counter()
                run(name)
                times[ask].append(perf_counter() - started)
    for name, times in taken.items():
        cells = [f"{statistics.median(each) * 1000:.2f}" for each in times.values()]
        print(f"| {name} | {' | '.join(cells)} | {files[name].size / 1000:.0f} |")
    print()


def _written(write: _Write, table: pa.Table) -> pa.Buffer:
    target = pa.BufferOutputStream()
    write(table, target)
    return target.getvalue()


def _read(file: pa.Buffer, *, use_threads: bool = False) -> pa.Table:
    return pq.ParquetFile(pa.BufferReader(file), pre_buffer=False).read(use_threads=use_threads)


def _read_around(file: pa.Buffer, row: int, column: str) -> pa.Table:
    """Read the group of a row, of which a month is then cut out."""
    parquet = pq.ParquetFile(pa.BufferReader(file), pre_buffer=False)
    ends = accumulate(parquet.metadata.row_group(group).num_rows for group in range(parquet.num_row_groups))
    group = next(number for number, end in enumerate(ends) if row < end)
    return parquet.read_row_group(group, columns=["date", column], use_threads=False)


if __name__ == "__main__":
    main()
