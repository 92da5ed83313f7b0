"""The baseline of the export benchmark: what a careful Python programmer writes, tuned.

    python_export.py BROKERS REGISTRY TOPIC parquet|jsonl OUT

Reads a topic from beginning to end with confluent-kafka, decodes each value with fastavro by the schema that it names,
and writes a file with the same columns as `tickline export`: Parquet by pyarrow (zstd, DECIMAL(38,18)), or JSONL with
decimals as text and times in microseconds. Prints {"records": N}.

Tuned: partitions are assigned, not subscribed to; 10,000 messages a call; a large prefetch; schemas parsed once; times
are left as integers, which saves a datetime for each; columns go to pyarrow as lists of one type; one JSON encoder
without circle checks; one write for each 10,000 lines. The collector of cycles is off: there are none.
"""

import gc
import io
import json
import os
import sys
import urllib.request

import fastavro
import pyarrow as pa
import pyarrow.parquet as pq
from confluent_kafka import Consumer, TopicPartition

BATCH = 10_000
ROW_GROUP_BATCHES = 100
HEADER_BYTES = 5


def without_times(node):
    """The schema with its times as plain integers."""
    if isinstance(node, list):
        return [without_times(each) for each in node]
    if isinstance(node, dict):
        return {
            key: without_times(value)
            for key, value in node.items()
            if not (key == "logicalType" and value == "timestamp-micros")
        }
    return node


def arrow_type(avro):
    """The column of an Avro type, and whether it may be null."""
    if isinstance(avro, list):
        return arrow_type(next(each for each in avro if each != "null"))[0], True
    if isinstance(avro, dict):
        logical = avro.get("logicalType")
        if logical == "decimal":
            return pa.decimal128(avro["precision"], avro["scale"]), False
        if logical == "timestamp-micros":
            return pa.timestamp("us", tz="UTC"), False
        return (pa.string() if avro["type"] == "enum" else arrow_type(avro["type"])[0]), False
    return {"string": pa.string(), "int": pa.int32(), "long": pa.int64(), "boolean": pa.bool_()}[avro], False


class Schemas:
    """Schemas of a registry by id, parsed once."""

    def __init__(self, registry):
        self.registry = registry
        self.text = {}
        self.parsed = {}

    def of(self, schema_id):
        parsed = self.parsed.get(schema_id)
        if parsed is None:
            with urllib.request.urlopen(f"{self.registry}/schemas/ids/{schema_id}", timeout=10) as answer:
                schema = json.loads(json.load(answer)["schema"])
            self.text[schema_id] = schema
            parsed = self.parsed[schema_id] = fastavro.parse_schema(without_times(schema))
        return parsed


def batches(brokers, topic, schemas):
    """Decoded records of the whole topic, up to BATCH at a time."""
    consumer = Consumer(
        {
            "bootstrap.servers": brokers,
            "group.id": f"python-export-{os.getpid()}",
            "enable.auto.commit": False,
            "queued.min.messages": 200_000,
            "queued.max.messages.kbytes": 262_144,
            "fetch.message.max.bytes": 8_388_608,
            "fetch.max.bytes": 67_108_864,
        }
    )
    partitions = consumer.list_topics(topic, timeout=10).topics[topic].partitions
    ends = {}
    for partition in partitions:
        low, high = consumer.get_watermark_offsets(TopicPartition(topic, partition), timeout=10)
        if low < high:
            ends[partition] = (low, high)
    consumer.assign([TopicPartition(topic, partition, low) for partition, (low, _) in ends.items()])
    left = sum(high - low for low, high in ends.values())
    read = fastavro.schemaless_reader
    of = schemas.of
    buffer = io.BytesIO
    while left > 0:
        records = []
        append = records.append
        for message in consumer.consume(BATCH, timeout=1.0):
            if message.error() is not None:
                raise SystemExit(message.error().str())
            value = message.value()
            body = buffer(value)
            body.seek(HEADER_BYTES)
            append(read(body, of(int.from_bytes(value[1:HEADER_BYTES], "big")), None))
        left -= len(records)
        if records:
            yield records
    consumer.close()


def write_parquet(decoded, schemas, out):
    writer = None
    held = []
    count = 0
    for records in decoded:
        if writer is None:
            fields = next(iter(schemas.text.values()))["fields"]
            columns = [(field["name"], *arrow_type(field["type"])) for field in fields]
            schema = pa.schema([pa.field(name, kind, nullable) for name, kind, nullable in columns])
            writer = pq.ParquetWriter(out, schema, compression="zstd")
        arrays = [pa.array([record[name] for record in records], kind) for name, kind, _ in columns]
        held.append(pa.RecordBatch.from_arrays(arrays, schema=schema))
        count += len(records)
        if len(held) == ROW_GROUP_BATCHES:
            writer.write_table(pa.Table.from_batches(held))
            held.clear()
    if held:
        writer.write_table(pa.Table.from_batches(held))
    writer.close()
    return count


def write_jsonl(decoded, schemas, out):
    encode = json.JSONEncoder(separators=(",", ":"), ensure_ascii=False, check_circular=False).encode
    decimals = None
    count = 0
    with open(out, "w", encoding="utf-8") as file:
        for records in decoded:
            if decimals is None:
                fields = next(iter(schemas.text.values()))["fields"]
                decimals = [field["name"] for field in fields if pa.types.is_decimal(arrow_type(field["type"])[0])]
            for record in records:
                for name in decimals:
                    value = record[name]
                    if value is not None:
                        record[name] = format(value, "f")
            file.write("\n".join(map(encode, records)))
            file.write("\n")
            count += len(records)
    return count


def main():
    brokers, registry, topic, kind, out = sys.argv[1:]
    gc.disable()
    schemas = Schemas(registry)
    write = {"parquet": write_parquet, "jsonl": write_jsonl}[kind]
    count = write(batches(brokers, topic, schemas), schemas, out)
    file = os.open(out, os.O_RDWR)
    os.fsync(file)
    os.close(file)
    print(json.dumps({"records": count}))


main()
