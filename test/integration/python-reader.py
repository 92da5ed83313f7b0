"""What a Python client finds in a topic, for python-reader.test.ts: one JSON object a line, with what Python made of it.

    python python-reader.py read BROKERS REGISTRY TOPIC COUNT
    python python-reader.py partitions BROKERS TOPIC KEY…       where librdkafka's Java-compatible partitioner puts keys
"""

import json
import sys
from datetime import datetime, timedelta
from decimal import Decimal
from itertools import islice
from pathlib import Path

from confluent_kafka import Producer

sys.path.insert(0, str(Path(__file__).parents[2] / "examples" / "python-quickstart"))
from read_trades import read  # noqa: E402


def shown(value):
    """A value with its Python type, as text that loses nothing."""
    if isinstance(value, Decimal):
        return {"Decimal": format(value, "f")}
    if isinstance(value, datetime):
        assert value.utcoffset() == timedelta(0), f"{value} is not in UTC"
        return {"datetime": value.isoformat(timespec="microseconds")}
    return value


def read_records(brokers, registry, topic, count):
    for message, record in islice(read(brokers, registry, topic, from_beginning=True), int(count)):
        fields = {name: shown(value) for name, value in record.items()}
        where = {"key": message.key().decode(), "partition": message.partition(), "timestamp": message.timestamp()[1]}
        print(json.dumps({**where, "record": fields}))


def partitions(brokers, topic, *keys):
    producer = Producer({"bootstrap.servers": brokers, "partitioner": "murmur2"})
    for key in keys:
        producer.produce(
            topic,
            key=key,
            on_delivery=lambda error, message: print(
                json.dumps({"error": error and error.str(), "key": message.key().decode(), "partition": message.partition()})
            ),
        )
    producer.flush()


{"read": read_records, "partitions": partitions}[sys.argv[1]](*sys.argv[2:])
