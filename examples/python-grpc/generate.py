#!/usr/bin/env python3
"""Writes the stubs from the .proto into the folder `generated` beside this file (or the one that is given)."""

import sys
from importlib import resources
from pathlib import Path

from grpc_tools import protoc

PROTO_FOLDER = Path(__file__).resolve().parent.parent.parent / "schemas" / "proto"
PROTO = "tickline/market_data/v1/market_data.proto"


def generate(folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    code = protoc.main(
        [
            "protoc",
            f"-I{PROTO_FOLDER}",
            f"-I{resources.files('grpc_tools') / '_proto'}",
            f"--python_out={folder}",
            f"--pyi_out={folder}",
            f"--grpc_python_out={folder}",
            PROTO,
        ]
    )
    if code != 0:
        raise SystemExit(code)


if __name__ == "__main__":
    generate(Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).resolve().parent / "generated")
