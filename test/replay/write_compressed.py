"""Writes the lines of standard input, hexadecimal, as record values compressed by librdkafka.

Arguments: brokers, topic, codec. One batch, so that the codec is used.
"""

import sys

from confluent_kafka import Producer

brokers, topic, codec = sys.argv[1:]
producer = Producer({"bootstrap.servers": brokers, "compression.type": codec, "linger.ms": 500})
for line in sys.stdin:
    producer.produce(topic, value=bytes.fromhex(line.strip()), key="BTC-USDT", partition=0)
assert producer.flush(30) == 0
