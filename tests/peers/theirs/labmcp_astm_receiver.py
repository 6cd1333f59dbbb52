"""The receiver of labmcp-astm-lis on the port at the address given, until so many results came."""

import json
import sys
import time

from labmcp.transports.serial import SerialTransport
from labmcp_astm_lis.driver import ASTMReceiver, ResultStore

LONGEST_S = 30.0


def main(address: str, wanted: int) -> dict[str, object]:
    store = ResultStore(redacted=False)
    receiver = ASTMReceiver(
        lambda: SerialTransport(address), mode="serial", where=address, store=store, redact=False
    )
    ends_s = time.monotonic() + LONGEST_S
    while store.counts()["results"] < wanted and time.monotonic() < ends_s:
        time.sleep(0.05)
    time.sleep(0.3)  # the EOT behind the last message
    results, _ = store.results()
    stats = receiver.protocol.stats
    receiver.close()
    return {
        "results": [
            [r.test_code, r.value, r.units, r.result_status, r.patient_id or r.laboratory_patient_id]
            for r in results
        ],
        "complete": [message.complete for message in store.messages()[0]],
        "accepted": stats.frames_accepted,
        "rejected": stats.frames_rejected,
        "duplicates": stats.duplicate_frames,
    }


sys.stdout.write(json.dumps(main(sys.argv[1], int(sys.argv[2]))) + "\n")
