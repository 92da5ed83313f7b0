"""Reads exported Parquet files with pyarrow and with DuckDB, and says where they differ from what they should hold.

    export_read_back.py < JOBS

A job is a line of JSON: {"path": file or folder (Hive's layout), "columns": [[name, kind], …], "rows": file}. `rows` is
a file of JSON lines, an array of texts or nulls for each row, in the order of the columns: decimals as plain text,
times in microseconds, numbers, booleans as true and false. `order`: columns to sort both sides by; without it rows are
compared in their order. A line of JSON comes out for each job: {"path", "rows", "types", "differences": [...]}.
"""

import json
import sys
from datetime import datetime, timedelta, timezone
from decimal import Decimal

import duckdb
import pyarrow.dataset as ds
import pyarrow.parquet as pq

EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)
MICRO = timedelta(microseconds=1)


def plain(value):
    """Decimal as Tickline writes it: no exponent, no trailing zeros."""
    text = format(value, "f")
    if "." in text:
        text = text.rstrip("0").rstrip(".")
    return "0" if text in ("-0", "") else text


def shown(value):
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, Decimal):
        return plain(value)
    if isinstance(value, datetime):
        return str((value - EPOCH) // MICRO)
    return str(value)


def by_pyarrow(path, columns, hive):
    table = ds.dataset(path, partitioning="hive").to_table() if hive else pq.read_table(path)
    arrays = []
    for name, kind in columns:
        column = table.column(name)
        # Beyond the years of Python's datetime an integer is what is left.
        arrays.append(column.cast("int64").to_pylist() if kind == "timestamp-micros" else column.to_pylist())
    types = {name: str(table.schema.field(name).type) for name, _ in columns}
    return [[shown(value) for value in row] for row in zip(*arrays)] if table.num_rows else [], types


def by_duckdb(path, columns, hive):
    wanted = []
    for name, kind in columns:
        quoted = '"' + name.replace('"', '""') + '"'
        wanted.append(f"epoch_us({quoted})" if kind == "timestamp-micros" else quoted)
    source = f"read_parquet('{path}/**/*.parquet', hive_partitioning=true)" if hive else f"read_parquet('{path}')"
    rows = duckdb.sql(f"SELECT {', '.join(wanted)} FROM {source}").fetchall()
    return [[shown(value) for value in row] for row in rows]


def differences(reader, got, wanted):
    if len(got) != len(wanted):
        return [f"{reader}: {len(got)} rows, not {len(wanted)}"]
    return [f"{reader}: row {at}: {a} is not {b}" for at, (a, b) in enumerate(zip(got, wanted)) if a != b][:3]


def ordered(rows, columns, order):
    if not order:
        return rows
    places = [[name for name, _ in columns].index(name) for name in order]
    return sorted(rows, key=lambda row: [row[place] or "" for place in places])


def check(job):
    path, columns, hive = job["path"], job["columns"], job.get("hive", False)
    with open(job["rows"], encoding="utf-8") as lines:
        wanted = ordered([json.loads(line) for line in lines], columns, job.get("order"))
    arrow, types = by_pyarrow(path, columns, hive)
    duck = by_duckdb(path, columns, hive)
    found = differences("pyarrow", ordered(arrow, columns, job.get("order")), wanted)
    found += differences("duckdb", ordered(duck, columns, job.get("order")), wanted)
    return {"path": path, "rows": len(wanted), "types": types, "differences": found}


for line in sys.stdin:
    print(json.dumps(check(json.loads(line))), flush=True)
