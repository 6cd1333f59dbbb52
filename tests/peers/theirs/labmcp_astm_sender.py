"""The analyzer simulator of labmcp-astm-lis on the port at the address given.

Second argument: messages as JSON, lists of records. Frame 3 of the first is sent damaged once.
"""

import json
import sys

import serial
from labmcp_astm_lis.simulator import ASTMAnalyzerSimulator


def main(address: str, messages: list[list[str]]) -> dict[str, object]:
    analyzer = ASTMAnalyzerSimulator(messages, gap_s=0.2, corrupt=((0, 3),))
    with serial.Serial(address, 9600, timeout=0.05) as port:
        analyzer.attach(port.write)
        while not analyzer.done:
            answer = port.read(1)
            if answer:
                port.write(analyzer.handle_bytes(answer))
    analyzer.stop()
    return {"sent": analyzer.messages_sent, "naks": analyzer.naks_received}


sys.stdout.write(json.dumps(main(sys.argv[1], json.loads(sys.argv[2]))) + "\n")
