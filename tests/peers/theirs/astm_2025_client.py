"""The client of astm-2025 sends to the TCP port given.

Second argument: messages as JSON, lists of records. A record is cut at its field signs, because the
client joins the fields; frames hold 240 bytes of text. The client calls `buffer`, which Python 3 does
not have, before it sends a single byte: it is lent one.
"""

import json
import sys
from collections.abc import Iterator

from astm import asynclib
from astm.client import Client


def main(port: int, messages: list[list[str]]) -> dict[str, object]:
    taken: list[bool] = []
    lent = not hasattr(asynclib, "buffer")
    if lent:
        asynclib.buffer = lambda data, first, size: data[first : first + size]

    def emitter() -> Iterator[list[bytes]]:
        for message in messages:
            for record in message:
                fields = [field.encode("latin-1") for field in record.split("|")]
                taken.append(bool((yield fields)))

    client = Client(emitter, host="127.0.0.1", port=port, timeout=10, flow_map=None, chunk_size=247)
    client.run(timeout=0.05)
    return {"taken": taken.count(True), "lent_buffer": lent}


sys.stdout.write(json.dumps(main(int(sys.argv[1]), json.loads(sys.argv[2]))) + "\n")
