"""The pump simulator of labmcp-new-era on the port at the address given, until told to stop by a kill."""

import sys

import serial
from labmcp_new_era.simulator import NewEraSimulator


def main(address: str) -> None:
    pump = NewEraSimulator()
    with serial.Serial(address, 19_200) as port:
        while True:
            line = port.read_until(b"\r").removesuffix(b"\r").decode("latin-1")
            reply = pump.handle(line)
            if isinstance(reply, str):
                port.write(reply.encode("latin-1") + b"\x03")


main(sys.argv[1])
