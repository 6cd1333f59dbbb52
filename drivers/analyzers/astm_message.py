"""One E1394 message while it comes in: its records from H to L, capped.

Source: analyzers reference 3.1 rule 7, 3.2. Not here: what a result is worth.
"""

from drivers.analyzers.astm_records import USUAL, Finding, Record, delimiters_of, findings, record_of

RECORDS_CAP = 4096
"""Records kept of one message: several times an analyzer's whole memory sent as one message."""

CHARACTERS_CAP = 256 * 1024
"""Characters kept of one message."""


class Message:
    """The records of the message under way; empty between messages."""

    def __init__(self) -> None:
        self.clear()

    def clear(self) -> None:
        """Forget it; the next record should be an H."""
        self.header: Record | None = None
        self.spoiled = ""
        self._records: list[Record] = []
        self._characters = 0

    @property
    def open(self) -> bool:
        """An H record has come, or something that spoils the message."""
        return self.header is not None or bool(self.spoiled)

    @property
    def last(self) -> Record:
        """The latest record; the L record in a finished message."""
        return self._records[-1] if self._records else record_of("")

    def add(self, line: str) -> bool:
        """Take one record; False when it belongs to no message."""
        if line[:1].upper() == "H":
            signs = delimiters_of(line)
            self.header = None if signs is None else record_of(line, signs)
            if signs is None:
                self.spoil("does not begin as a message should")
            return True
        if not self.open:
            return False
        self._characters += len(line)
        if self._characters > CHARACTERS_CAP or len(self._records) >= RECORDS_CAP:
            self.spoil()
            return True
        self._records.append(record_of(line, self.header.delimiters if self.header else USUAL))
        return True

    def spoil(self, why: str = "is too long to be read") -> None:
        """It is not taken as a message any more; what was read so far stays for telling."""
        self.spoiled = why

    def findings(self) -> list[Finding]:
        """The results read so far."""
        return findings(self._records)
