"""Frames and messages of Siemens LIS3: cut from bytes, proved by checksum, split into elements.

Source: analyzers reference 4.4 (four public programs and an interface list for the RAPIDPoint 500).
The checksum counts STX and ETX too; ETB only joins exceptions inside an element. Not here: what a
message means.
"""

import re
from dataclasses import dataclass

from drivers.framing import ETX, STX, Damage

EOT, ACK, ETB, FS, GS, RS = 0x04, 0x06, 0x17, 0x1C, 0x1D, 0x1E

FRAME_MAX = 8192
"""No frame is longer: 60 analytes at 40 bytes and their heading stay below 3000."""

_TAIL = 4
"""ETX, two hexadecimal digits, EOT."""

_NAME = re.compile(r"[A-Z][A-Z0-9_]{1,31}")
_FS, _GS, _RS, _ETB = (chr(code) for code in (FS, GS, RS, ETB))


@dataclass(frozen=True, slots=True)
class Element:
    """One key with its value; texts as sent. `exceptions` are the analyzer's doubts about the value."""

    key: str
    value: str = ""
    unit: str = ""
    exceptions: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Message:
    """A named message, such as SMP_NEW_DATA, and its elements in order."""

    name: str
    elements: tuple[Element, ...] = ()

    def all_of(self, key: str) -> tuple[Element, ...]:
        """Every element with this key."""
        return tuple(element for element in self.elements if element.key == key)

    def text(self, key: str) -> str:
        """The stripped value under a key that is there once; "" where it is not, or not once."""
        found = self.all_of(key)
        return found[0].value.strip() if len(found) == 1 else ""


def frame(payload: bytes) -> bytes:
    """A whole frame around a payload."""
    body = bytes((STX, *payload, ETX))
    return body + f"{sum(body) % 256:02X}".encode("ascii") + bytes((EOT,))


ACK_FRAME = frame(bytes((ACK,)))


def message_frame(message: Message) -> bytes:
    """A message as a frame; without elements one RS is sent, not two."""
    elements = "".join(
        _GS.join((part.key, part.value, part.unit, _ETB.join(part.exceptions), "")) + _FS
        for part in message.elements
    )
    text = f"{message.name}{_FS}{_RS}{elements}{_RS if elements else ''}"
    return frame(text.encode("latin-1"))


def parse_message(payload: bytes) -> Message | Damage:
    """The message in a payload whose checksum held; `Damage` when its shape is not that of a message."""
    text = payload.decode("latin-1")
    name, _, rest = text.partition(_FS)
    if _NAME.fullmatch(name) is None or not rest.startswith(_RS):
        return Damage(f"no message in {text[:60]!r}")
    body = rest[1:]
    if not body:
        return Message(name)
    if not body.endswith(_RS) or (len(body) > 1 and body[-2] != _FS):
        return Damage(f"{name} has no end")
    elements = []
    for piece in body[:-1].split(_FS)[:-1]:
        parts = piece.split(_GS)
        if len(parts) != 5 or not parts[0] or parts[4]:
            return Damage(f"{name} has an element {piece[:60]!r}")
        key, value, unit, exceptions, _ = parts
        doubts = tuple(part.strip() for part in exceptions.split(_ETB) if part.strip())
        elements.append(Element(key, value, unit, doubts))
    return Message(name, tuple(elements))


class FrameSplitter:
    """Cuts payloads out of bytes in any chunking; a frame above `FRAME_MAX` is dropped."""

    def __init__(self) -> None:
        self._buffer = bytearray()
        self._in_noise = False

    @property
    def half(self) -> bool:
        """A frame has begun and not ended."""
        return bool(self._buffer)

    def reset(self) -> None:
        """Forget a half frame."""
        self._buffer.clear()
        self._in_noise = False

    def feed(self, data: bytes) -> list[bytes | Damage]:
        """Take bytes; payloads come out, and one `Damage` per run of bad bytes."""
        found: list[bytes | Damage] = []
        for byte in data:
            if byte == STX:
                if self._buffer:
                    found.append(Damage("frame cut short"))
                self._buffer[:] = (STX,)
                self._in_noise = False
            elif not self._buffer:
                self._spoil("stray bytes", found)
            else:
                self._buffer.append(byte)
                if byte == EOT:
                    self._close(found)
                elif len(self._buffer) >= FRAME_MAX:
                    self._spoil("frame without end", found)
        return found

    def give_up(self) -> list[Damage]:
        """The wire fell silent: what is half now stays half."""
        cut = [Damage("frame cut short")] if self._buffer else []
        self.reset()
        return cut

    def _close(self, found: list[bytes | Damage]) -> None:
        head, tail = bytes(self._buffer[:-_TAIL]), bytes(self._buffer[-_TAIL:])
        payload = head[1:]
        if head + tail.upper() == frame(payload):
            self._buffer.clear()
            found.append(payload)
        else:
            self._spoil("bad checksum", found)

    def _spoil(self, reason: str, found: list[bytes | Damage]) -> None:
        self._buffer.clear()
        if not self._in_noise:
            self._in_noise = True
            found.append(Damage(reason))
