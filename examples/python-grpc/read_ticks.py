#!/usr/bin/env python3
"""Prints ticks from Tickline's gRPC service, one JSON object a line, as they come.

    pip install -r requirements.txt && python generate.py
    python read_ticks.py --address 127.0.0.1:9090 --symbols 'BTC-*' --channels trades

It asks the given pod who owns what and reads from every owner. Prices and quantities are decimal.Decimal with
the very digits that the exchange sent; nothing passes through a float.
"""

import argparse
import json
import os
import queue
import sys
import threading
import time
from decimal import Decimal
from pathlib import Path

import grpc

sys.path.insert(0, os.environ.get("TICKLINE_STUBS", str(Path(__file__).resolve().parent / "generated")))

from tickline.market_data.v1 import market_data_pb2 as messages  # noqa: E402
from tickline.market_data.v1 import market_data_pb2_grpc as service  # noqa: E402

# Asking again can't help: the request, the token or the certificate is wrong.
FINAL = {
    grpc.StatusCode.INVALID_ARGUMENT,
    grpc.StatusCode.NOT_FOUND,
    grpc.StatusCode.UNAUTHENTICATED,
    grpc.StatusCode.PERMISSION_DENIED,
    grpc.StatusCode.UNIMPLEMENTED,
}
DECIMALS = {
    "price", "quantity", "contracts", "bid_price", "bid_quantity", "ask_price", "ask_quantity",
    "bid_contracts", "ask_contracts",
}
OPTIONS = [
    # A pod that vanished without a word is noticed.
    ("grpc.keepalive_time_ms", 20_000),
    ("grpc.keepalive_timeout_ms", 10_000),
    # A listing of many thousand symbols is more than the usual 4 MiB.
    ("grpc.max_receive_message_length", 256 * 1024 * 1024),
]


class Pods:
    """Channels to pods, each opened once."""

    def __init__(self, ca: bytes | None, token: str | None) -> None:
        self._credentials = None if ca is None else grpc.ssl_channel_credentials(ca)
        self._metadata = [] if token is None else [("authorization", f"Bearer {token}")]

    def stub(self, address: str) -> service.MarketDataStub:
        if self._credentials is None:
            return service.MarketDataStub(grpc.insecure_channel(address, OPTIONS))
        return service.MarketDataStub(grpc.secure_channel(address, self._credentials, OPTIONS))

    def owners(self, address: str, symbols: list[str]) -> list[str]:
        """Addresses of the pods that own something of the symbols; the given one when nobody does."""
        answer = self.stub(address).ListInstruments(
            messages.ListInstrumentsRequest(symbols=symbols), timeout=10, metadata=self._metadata
        )
        found = {owner.address for each in answer.instruments for owner in each.owners if owner.address}
        return sorted(found) or [address]

    def follow(self, address: str, request: messages.SubscribeRequest, out: queue.Queue) -> None:
        """Puts the pod's ticks on the queue, and reconnects; an error that asking again can't help goes there too."""
        own = messages.SubscribeRequest()
        own.CopyFrom(request)
        stub = self.stub(address)
        wait = 0.2
        while True:
            try:
                for batch in stub.Subscribe(own, metadata=self._metadata):
                    wait = 0.2
                    for tick in batch.ticks:
                        out.put(tick)
            except grpc.RpcError as error:
                if error.code() in FINAL:
                    out.put(error)
                    return
                print(f"{address}: {error.details()}; again in {wait:.1f} s", file=sys.stderr)
            time.sleep(wait)
            wait = min(2 * wait, 10)
            # Last values first: they show at once what was missed.
            own.last_value_first = True


def read(pods: Pods, address: str, symbols: list[str], channels: list[str], last_value_first: bool):
    """Yields (kind, record): 'trade', 'quote' or 'status', and a dict whose prices are Decimal or None."""
    request = messages.SubscribeRequest(
        symbols=symbols, channels=channels, last_value_first=last_value_first, owned_only=True
    )
    out: queue.Queue = queue.Queue(maxsize=10_000)
    for owner in pods.owners(address, symbols):
        threading.Thread(target=pods.follow, args=(owner, request, out), daemon=True).start()
    while True:
        tick = out.get()
        if isinstance(tick, grpc.RpcError):
            raise tick
        kind = tick.WhichOneof("kind")
        if kind is not None:
            yield kind, record(getattr(tick, kind))


def record(message) -> dict:
    fields = {}
    for field in message.DESCRIPTOR.fields:
        value = getattr(message, field.name)
        if field.has_presence and not message.HasField(field.name):
            value = None
        elif field.enum_type is not None:
            value = field.enum_type.values_by_number[value].name.removeprefix("SIDE_").lower()
        elif field.name in DECIMALS:
            value = Decimal(value)
        fields[field.name] = value
    return fields


def plain(number: Decimal) -> str:
    """All digits, never an exponent."""
    return format(number, "f")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--address", default="127.0.0.1:9090", help="host:port of any pod")
    parser.add_argument("--symbols", default="*", help="symbols or patterns, with commas between")
    parser.add_argument("--channels", default="", help="trades, quotes; empty: both")
    parser.add_argument("--last-value-first", action="store_true", help="begin with the last tick of each stream")
    parser.add_argument("--count", type=int, help="stop after so many ticks")
    parser.add_argument("--ca", type=Path, help="certificates to trust, PEM; without it no TLS")
    parser.add_argument("--token-file", type=Path, help="file with the bearer token")
    options = parser.parse_args()

    token = options.token_file and options.token_file.read_text().splitlines()[0].strip()
    pods = Pods(options.ca and options.ca.read_bytes(), token)
    split = [text for text in options.channels.split(",") if text]
    try:
        ticks = read(pods, options.address, options.symbols.split(","), split, options.last_value_first)
        for number, (kind, fields) in enumerate(ticks, start=1):
            print(json.dumps({"kind": kind, **fields}, default=plain), flush=True)
            if number == options.count:
                return
    except grpc.RpcError as error:
        raise SystemExit(f"{error.code().name}: {error.details()}") from None
    except KeyboardInterrupt:
        pass


if __name__ == "__main__":
    main()
