#!/usr/bin/env python3
"""Prints the trades that Tickline writes, one JSON object a line, as they come.

    pip install "confluent-kafka[avro,schemaregistry]"
    python read_trades.py --brokers 127.0.0.1:9092 --registry http://127.0.0.1:8081

Prices and quantities are decimal.Decimal with the very digits that the exchange sent; times are
datetime in UTC, to the microsecond. Nothing passes through a float.
"""

import argparse
import itertools
import json
import uuid
from decimal import Decimal

from confluent_kafka import Consumer
from confluent_kafka.schema_registry import SchemaRegistryClient
from confluent_kafka.schema_registry.avro import AvroDeserializer
from confluent_kafka.serialization import MessageField, SerializationContext


def read(brokers, registry, topic, from_beginning=False):
    """Yields (message, record) for ever; the record is a dict with the fields of the topic's schema."""
    decode = AvroDeserializer(SchemaRegistryClient({"url": registry}))
    consumer = Consumer(
        {
            "bootstrap.servers": brokers,
            "group.id": f"quickstart-{uuid.uuid4()}",  # a group of our own: we see every partition
            "auto.offset.reset": "earliest" if from_beginning else "latest",
            "enable.auto.commit": False,
        }
    )
    consumer.subscribe([topic])
    try:
        while True:
            message = consumer.poll(1.0)
            if message is None:
                continue
            if message.error():
                raise SystemExit(f"{topic}: {message.error().str()}")
            yield message, decode(message.value(), SerializationContext(topic, MessageField.VALUE))
    finally:
        consumer.close()


def as_json(value):
    """JSON knows neither: a Decimal becomes its digits, a datetime ISO 8601."""
    return f"{value:f}".rstrip("0").rstrip(".") if isinstance(value, Decimal) else value.isoformat()


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--brokers", required=True, help="host:port,host:port")
    parser.add_argument("--registry", required=True, help="address of the schema registry")
    parser.add_argument("--topic", default="md.trades", help="md.trades (default), md.quotes or md.status")
    parser.add_argument("--from-beginning", action="store_true", help="all that is kept, not only what is new")
    parser.add_argument("--count", type=int, help="stop after so many")
    args = parser.parse_args()
    records = read(args.brokers, args.registry, args.topic, args.from_beginning)
    for _, record in itertools.islice(records, args.count):
        print(json.dumps(record, default=as_json), flush=True)


if __name__ == "__main__":
    try:
        main()
    except KeyboardInterrupt:
        pass
