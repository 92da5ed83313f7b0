#!/usr/bin/env python3
"""Values positions at the last quotes of Tickline's topics, and says which of them are stale.

    pip install -r requirements.txt
    python risk.py --brokers 127.0.0.1:9092 --registry http://127.0.0.1:8081 --position okx:BTC-USDT=-1.5

It goes on where its group stopped: offsets are committed after each report. Before that place it reads
the last records once more (--warm-up), so that quotes and recent trade ids are known again at once.
"""

import argparse
import decimal
import json
import signal
import sys
import time
from collections import defaultdict
from datetime import datetime, timezone
from decimal import Decimal

from book import Symbol
from confluent_kafka import OFFSET_INVALID, Consumer, KafkaException, TopicPartition
from confluent_kafka.schema_registry import SchemaRegistryClient
from confluent_kafka.schema_registry.avro import AvroDeserializer
from confluent_kafka.serialization import MessageField, SerializationContext

CHANNELS = ("trades", "quotes", "status")
# A position times a price may have twice the 38 digits of either.
decimal.getcontext().prec = 76


class RiskConsumer:
    def __init__(self, args):
        self.args = args
        self.symbols = defaultdict(Symbol)
        self.decode = AvroDeserializer(SchemaRegistryClient({"url": args.registry}))
        self.counted_from = {}  # (topic, partition) → the first offset that no former run has counted
        self.next_offset = {}  # (topic, partition) → where a restart goes on
        self.consumer = Consumer(
            {
                "bootstrap.servers": args.brokers,
                "group.id": args.group,
                "enable.auto.commit": False,
                "auto.offset.reset": "earliest",
            }
        )
        topics = [args.prefix + channel for channel in CHANNELS]
        self.consumer.subscribe(topics, on_assign=self.assigned, on_revoke=self.revoked)

    def assigned(self, consumer, partitions):
        start = []
        for place in consumer.committed(partitions, timeout=30):
            first, end = consumer.get_watermark_offsets(place, timeout=30)
            if place.offset == OFFSET_INVALID:
                place.offset = first if self.args.from_beginning else end
            key = (place.topic, place.partition)
            self.counted_from[key] = self.next_offset[key] = place.offset
            place.offset = min(max(first, place.offset - self.args.warm_up), end)
            start.append(place)
        consumer.assign(start)

    def revoked(self, consumer, partitions):
        self.commit()
        for place in partitions:
            self.next_offset.pop((place.topic, place.partition), None)

    def take(self, message):
        place = (message.topic(), message.partition())
        counts = message.offset() >= self.counted_from[place]
        record = self.decode(message.value(), SerializationContext(message.topic(), MessageField.VALUE))
        symbol = self.symbols[record["exchange"], record["symbol"]]
        channel = message.topic().removeprefix(self.args.prefix)
        if channel == "quotes":
            symbol.take_quote(record)
        elif channel == "trades":
            symbol.take_trade(record, counts)
        else:
            symbol.take_status(record, counts)
        if counts:
            self.next_offset[place] = message.offset() + 1

    def commit(self):
        offsets = [TopicPartition(*place, offset) for place, offset in self.next_offset.items()]
        if offsets:
            self.consumer.commit(offsets=offsets, asynchronous=False)

    def rows(self):
        """One row for each symbol that was seen or is held, with digits as text."""
        now = datetime.now(timezone.utc)
        for key in sorted(self.symbols.keys() | self.args.positions.keys()):
            symbol, position = self.symbols[key], self.args.positions.get(key, Decimal(0))
            yield {
                "exchange": key[0],
                "symbol": key[1],
                "bid": digits(symbol.bid),
                "ask": digits(symbol.ask),
                "price": digits(symbol.price),
                "tradeId": symbol.trade_id,
                "trades": symbol.trades,
                "duplicates": symbol.duplicates,
                "volume": digits(symbol.volume),
                "gaps": symbol.gaps,
                "position": digits(position),
                "value": digits(symbol.value(position)),
                "trouble": symbol.trouble(now, self.args.stale_after),
            }

    def run(self):
        report_at = time.monotonic() + self.args.every
        quiet_since = time.monotonic()
        while True:
            message = self.consumer.poll(0.2)
            now = time.monotonic()
            if message is not None:
                if message.error():
                    raise KafkaException(message.error())
                self.take(message)
                quiet_since = now
            idle = self.args.exit_when_idle is not None and now - quiet_since >= self.args.exit_when_idle
            if now >= report_at or idle:
                report(list(self.rows()), self.args.json)
                self.commit()
                report_at = now + self.args.every
            if idle:
                return

    def close(self):
        self.commit()
        self.consumer.close()


def digits(value):
    """Exact, without an exponent and without zeros that say nothing."""
    if value is None:
        return None
    text = f"{value:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def report(rows, as_json):
    if as_json:
        print(json.dumps(rows), flush=True)
        return
    columns = ("exchange", "symbol", "bid", "ask", "price", "position", "value", "trouble")
    table = [columns] + [tuple(row[name] or "" for name in columns) for row in rows]
    widths = [max(len(str(line[index])) for line in table) for index in range(len(columns))]
    for line in table:
        print("  ".join(str(cell).ljust(width) for cell, width in zip(line, widths)).rstrip())
    print(flush=True)


def position(text):
    """`okx:BTC-USDT=-1.5` → (("okx", "BTC-USDT"), Decimal("-1.5"))"""
    try:
        unit, amount = text.rsplit("=", 1)
        exchange, symbol = unit.split(":", 1)
        return (exchange, symbol), Decimal(amount)
    except (ValueError, decimal.InvalidOperation):
        raise argparse.ArgumentTypeError(f"{text!r} is not a position such as okx:BTC-USDT=-1.5") from None


def arguments():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--brokers", required=True, help="host:port,host:port")
    parser.add_argument("--registry", required=True, help="address of the schema registry")
    parser.add_argument("--prefix", default="md.", help="prefix of the topics")
    parser.add_argument("--group", default="risk-example", help="consumer group, which keeps the offsets")
    parser.add_argument("--position", dest="positions", action="append", type=position, default=[],
                        metavar="EXCHANGE:SYMBOL=QUANTITY", help="a holding in the base asset; repeatable")
    parser.add_argument("--stale-after", type=float, default=60, metavar="S", help="age at which a quote is stale")
    parser.add_argument("--every", type=float, default=1, metavar="S", help="time from one report to the next")
    parser.add_argument("--warm-up", type=int, default=2_000, metavar="N",
                        help="records of each partition that are read once more after a restart")
    parser.add_argument("--from-beginning", action="store_true", help="a new group starts with all that is kept")
    parser.add_argument("--exit-when-idle", type=float, metavar="S", help="end when nothing came for so long")
    parser.add_argument("--json", action="store_true", help="a report is a line of JSON")
    args = parser.parse_args()
    args.positions = dict(args.positions)
    return args


def stop(*_):
    raise KeyboardInterrupt


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, stop)
    consumer = RiskConsumer(arguments())
    try:
        consumer.run()
    except KeyboardInterrupt:
        pass
    except KafkaException as error:
        sys.exit(f"risk: {error.args[0].str()}")
    finally:
        consumer.close()
