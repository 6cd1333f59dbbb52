"""Bytes into POCT1-A messages: where a message begins and ends, and the elements inside it.

Source: analyzers reference 4.5. A message is one XML element such as `OBS.R01`, with or without a
declaration before it, and with no checksum. A meter's network is not trusted: no document types and
no entities of its own, size and depth capped. Not here: what a message means.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from xml.parsers import expat

from drivers.framing import Damage

MESSAGE_CAP = 65_536
"""Bytes of one message; a meter's result has about 1000."""

DEPTH_CAP = 12
"""Elements inside one another; a result is five deep (analyzers 4.5)."""

BETWEEN_CAP = 4096
"""Bytes kept between two messages: room for a declaration."""

KEPT = 256
"""So many bytes of noise are kept, for the declaration that may stand at its end."""

ENCODINGS = {"utf-8": "UTF-8", "us-ascii": "US-ASCII", "iso-8859-1": "ISO-8859-1"}
"""Encodings that are read; any other is damage."""

_ROOT = re.compile(rb"<([A-Z]{3}\.R\d\d)(?=[\s>])")
_ROOT_LONGEST = 10
_BETWEEN = re.compile(rb"(?:\xef\xbb\xbf)?\s*(?:<\?xml[^<>]*\?>\s*)?")
_ENCODING = re.compile(rb"<\?xml[^<>]*?encoding\s*=\s*[\"']([A-Za-z0-9._-]{1,40})[\"'][^<>]*\?>")


@dataclass(slots=True)
class Element:
    """One element with its attributes and what is inside it; text between elements is not kept."""

    tag: str
    attributes: dict[str, str]
    inside: list["Element"] = field(default_factory=list)

    def every(self, tag: str) -> Iterator["Element"]:
        """All elements of this name inside, at any depth, in order."""
        for element in self.inside:
            if element.tag == tag:
                yield element
            yield from element.every(tag)

    def value(self, tag: str) -> str:
        """The attribute `V` of the first element of this name inside; "" where there is none."""
        found = next(self.every(tag), None)
        return "" if found is None else found.attributes.get("V", "").strip()


class MessageSplitter:
    """Cuts messages out of a stream in any chunking; what it cannot read becomes one `Damage` per run.

    A document always starts at its root here, so that no document type is ever parsed; a message with
    one before it is dropped. A root that opens inside another message ends that one as cut short.
    """

    def __init__(self) -> None:
        self._buffer = bytearray()
        self.reset()

    @property
    def half(self) -> bool:
        """Something has begun and not ended."""
        return bool(self._buffer.strip())

    def reset(self) -> None:
        """Forget a half message."""
        self._buffer.clear()
        self._scanned = 0
        self._name = b""
        self._encoding = ""
        self._in_noise = False
        self._refused = False

    def feed(self, data: bytes) -> list[Element | Damage]:
        """Take bytes; whole messages come out."""
        found: list[Element | Damage] = []
        self._buffer += data
        while self._begin(found) and self._end(found):
            pass
        return found

    def _spoil(self, reason: str, found: list[Element | Damage]) -> None:
        if not self._in_noise:
            self._in_noise = True
            found.append(Damage(reason))

    def _drop(self, upto: int) -> None:
        del self._buffer[:upto]
        self._scanned = 0

    def _begin(self, found: list[Element | Damage]) -> bool:
        """Move to the root of a message; False while there is none."""
        if self._name:
            return True
        buffer = self._buffer
        root = _ROOT.search(buffer, max(self._scanned - _ROOT_LONGEST, 0))
        before = bytes(buffer[: root.start()] if root else buffer)
        if b"<!" in before and not self._refused:
            self._refused = True
            self._spoil("a document type or entity, message dropped", found)
        if root is None:
            self._scanned = len(buffer)
            if len(buffer) > BETWEEN_CAP:
                self._spoil("bytes that are no message", found)
                self._drop(len(buffer) - KEPT)
            return False
        if _BETWEEN.fullmatch(before) is None:
            self._spoil("bytes that are no message", found)
        declared = _ENCODING.search(before)
        self._encoding = declared[1].decode("ascii").lower() if declared else "utf-8"
        self._name = root[1]
        self._drop(root.start())
        return True

    def _end(self, found: list[Element | Damage]) -> bool:
        """Cut the message at the start of the buffer; False while it is not complete."""
        buffer = self._buffer
        past = max(self._scanned - 2 * _ROOT_LONGEST, 1)
        end = re.compile(rb"</" + re.escape(self._name) + rb"\s{0,4}>").search(buffer, past)
        again = _ROOT.search(buffer, past, end.start() if end else len(buffer))
        if again is not None and again.end() < MESSAGE_CAP:
            self._spoil("message cut short", found)
            self._over(again.start())
            return True
        if (end.end() if end else len(buffer)) > MESSAGE_CAP:
            self._spoil("message without end", found)
            self._over(MESSAGE_CAP)
            return True
        if end is None:
            self._scanned = len(buffer)
            return False
        document, refused = bytes(buffer[: end.end()]), self._refused
        self._over(end.end())
        self._in_noise = False
        if not refused:
            found.append(_read(document, self._encoding))
        return True

    def _over(self, upto: int) -> None:
        self._name, self._refused = b"", False
        self._drop(upto)


class _TooDeep(Exception):
    """More elements inside one another than any message has."""


def _read(document: bytes, encoding: str) -> Element | Damage:
    if encoding not in ENCODINGS:
        return Damage(f"encoding {encoding} is not known")
    try:
        return _parsed(document, ENCODINGS[encoding])
    except expat.ExpatError as error:
        return Damage(f"damaged message: {expat.errors.messages[error.code]}")
    except _TooDeep:
        return Damage("damaged message: too many elements inside one another")


def _parsed(document: bytes, encoding: str) -> Element:
    """The root element of one document. Errors: ExpatError, `_TooDeep`."""
    top = Element("", {})
    open_elements = [top]

    def opens(tag: str, attributes: dict[str, str]) -> None:
        if len(open_elements) > DEPTH_CAP:
            raise _TooDeep
        element = Element(tag, attributes)
        open_elements[-1].inside.append(element)
        open_elements.append(element)

    def closes(_tag: str) -> None:
        open_elements.pop()

    parser = expat.ParserCreate(encoding)
    parser.StartElementHandler = opens
    parser.EndElementHandler = closes
    parser.Parse(document, True)
    return top.inside[0]
