"""A table of what is answered to what, with the Alaris link on the other side of it."""

from clampctl.core.commands import Command, Role
from clampctl.core.events import DeviceEvent, LinkTroubled, PumpIdentified, PumpReported, Trouble
from drivers.link import Expected
from drivers.pumps.alaris import Alaris
from drivers.pumps.alaris_text import frame

INSULIN = Expected(Role.INSULIN, "Asena", "8002-51740", watchdog_s=15)
USUAL = {
    "INST_SERIALNO": "INST_SERIALNO^8002-51740",
    "COMMS_PROTOCOL": "COMMS_PROTOCOL^Asena Rev 2.1.5",
    "COMMS_RESPONSE_MAX": "COMMS_RESPONSE_MAX^4000^ms",
    "SYRINGE_STATUS": "SYRINGE_STATUS^BD PLASTIPAK^ 50^CONF",
    "INF_RATE_MAX_SYRINGE": "INF_RATE_MAX_SYRINGE^150.00^ml/h",
    "INF_VTBI": "INF_VTBI^DEACT^^^",
    "INF_RATE": "INF_RATE^3.50^ml/h",
    "INF_VI": "INF_VI^1.000^ml",
    "INF": "INF^8002-51740^-^HLD^0.00^ml/h^^1.000^ml^17.91^mmHg^24+^EVENT^7",
    "REMOTE_CTRL^ENABLED^3CC1": "REMOTE_CTRL^ENABLED^****^PERMIT^0^ms",
    "ALARM": "ALARM^AL_NOALM^ ^ ",
    "INF_START": "INF_START",
    "INF_STOP": "INF_STOP",
}
RUNNING = "INF^8002-51740^-^SET^3.50^ml/h^^1.000^ml^17.91^mmHg^24+^EVENT^7"


class Desk:
    """A link, and a table of what is answered to what; "" or nothing is silence."""

    def __init__(self, odd: dict[str, str] | None = None, link: Alaris | None = None) -> None:
        self.link = link or Alaris(INSULIN)
        self.table = USUAL | (odd or {})
        self.now_ms = 0
        self.sent: list[tuple[int, str]] = []
        self.events: list[DeviceEvent] = []
        self.link.opened(1, 0)

    def run(self, for_ms: int) -> "Desk":
        end_ms = self.now_ms + for_ms
        while True:
            while out := self.link.take_output():
                for whole in out.split(b"\r")[:-1]:
                    text = whole[1:-5].decode()
                    self.sent.append((self.now_ms, text))
                    if reply := self.table.get(text):
                        self.hear(reply)
            due_ms = self.link.wake_at()
            if due_ms is None or due_ms > end_ms:
                self.now_ms = end_ms
                return self
            self.now_ms = max(self.now_ms, due_ms)
            self.events += self.link.wake(self.now_ms)

    def hear(self, text: str) -> None:
        self.events += self.link.receive(frame(text), self.now_ms)

    def order(self, *commands: Command) -> "Desk":
        for command in commands:
            self.link.send(command, self.now_ms)
        return self

    def times(self, text: str) -> list[int]:
        return [at_ms for at_ms, sent in self.sent if sent == text]

    @property
    def mismatch(self) -> str | None:
        return [event for event in self.events if isinstance(event, PumpIdentified)][-1].mismatch

    @property
    def readings(self) -> list[PumpReported]:
        return [event for event in self.events if isinstance(event, PumpReported)]

    def troubles(self, kind: Trouble) -> list[str]:
        return [e.detail for e in self.events if isinstance(e, LinkTroubled) and e.trouble is kind]
