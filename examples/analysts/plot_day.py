#!/usr/bin/env python3
"""One-minute bars of a day from an export of `tickline export trades`, printed by the hour and drawn.

    pip install -r requirements.txt
    python plot_day.py --trades day --symbol BTC-USDT --out day.png

DuckDB reads the Parquet files where they lie; prices stay DECIMAL until they are drawn.
"""

import argparse
from pathlib import Path

import duckdb
import matplotlib

matplotlib.use("Agg")  # no screen is needed
import matplotlib.dates as dates
import matplotlib.pyplot as plt

BARS = """
    SELECT exchange,
           time_bucket(INTERVAL 1 MINUTE, receiveTime AT TIME ZONE 'UTC') AS minute,
           arg_min(price, (receiveTime, sequence)) AS open,
           max(price) AS high,
           min(price) AS low,
           arg_max(price, (receiveTime, sequence)) AS close,
           sum(quantity) AS volume,
           count(*) AS trades
    FROM read_parquet(?, hive_partitioning = true)
    WHERE symbol = ?
    GROUP BY ALL
    ORDER BY exchange, minute
"""


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--trades", required=True, type=Path, help="the file, or the folder of a partitioned export")
    parser.add_argument("--symbol", default="BTC-USDT")
    parser.add_argument("--out", default="day.png", help="the picture")
    args = parser.parse_args()
    files = str(args.trades / "**/*.parquet") if args.trades.is_dir() else str(args.trades)
    bars = duckdb.execute(BARS, [files, args.symbol]).df()
    if bars.empty:
        raise SystemExit(f"no trades of {args.symbol} in {args.trades}")

    hours = bars.groupby(["exchange", bars["minute"].dt.floor("h")]).agg(
        open=("open", "first"), high=("high", "max"), low=("low", "min"),
        close=("close", "last"), volume=("volume", "sum"), trades=("trades", "sum"),
    )
    print(hours.groupby("exchange").head(3).to_string())
    print(f"{len(bars)} one-minute bars of {bars['trades'].sum()} trades")

    figure, (prices, volumes) = plt.subplots(
        2, 1, sharex=True, figsize=(11, 6), height_ratios=(3, 1), layout="constrained"
    )
    for exchange, each in bars.groupby("exchange"):
        prices.plot(each["minute"], each["close"].astype(float), linewidth=1, label=exchange)
        hourly = each.set_index("minute")["volume"].astype(float).resample("1h").sum()
        volumes.step(hourly.index, hourly, where="post", linewidth=1, label=exchange)
    prices.set_title(f"{args.symbol}, {bars['minute'].min():%Y-%m-%d} (UTC), close of each minute")
    prices.legend(frameon=False)
    volumes.set_ylabel("volume an hour")
    volumes.xaxis.set_major_formatter(dates.DateFormatter("%H:%M"))
    for axes in (prices, volumes):
        axes.grid(alpha=0.25)
        axes.spines[["top", "right"]].set_visible(False)
    figure.savefig(args.out, dpi=100)
    print(f"drawn to {args.out}")


if __name__ == "__main__":
    main()
