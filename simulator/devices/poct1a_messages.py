"""The messages of a POCT1-A meter as text, and what it reads in the host's.

Source: sheet analyzers.md 4.5. Order of elements beyond its examples is [R].
"""

import re
from dataclasses import dataclass

HOST_LIMIT = 16_384
"""Bytes that the meter keeps of an unfinished message."""

_MESSAGE = re.compile(rb"<([A-Z]{3})\.R\d\d>(.*?)</\1\.R\d\d>", re.DOTALL)
_FIELD = re.compile(rb"<([A-Za-z_.]+)\s+V=\"([^\"]*)\"\s*/>")


@dataclass(frozen=True, slots=True)
class Said:
    """A message of the host: its three letters and its values by element."""

    name: str
    values: dict[str, str]


def heard(buffer: bytearray) -> list[Said]:
    """Takes the whole messages out of what came from the host."""
    found = []
    while match := _MESSAGE.search(buffer):
        values = {tag.decode(): value.decode("latin-1") for tag, value in _FIELD.findall(match[2])}
        found.append(Said(match[1].decode(), values))
        del buffer[: match.end()]
    del buffer[:-HOST_LIMIT]
    return found


def message(name: str, control_id: int, created: str, body: str) -> str:
    """Any message with its header."""
    head = (
        f'<HDR><HDR.message_type V="{name}.R01"/><HDR.control_id V="{control_id}"/>'
        f'<HDR.version_id V="POCT1"/><HDR.creation_dttm V="{created}"/></HDR>'
    )
    return f"<{name}.R01>{head}{body}</{name}.R01>"


def leaf(tag: str, value: str, unit: str = "") -> str:
    """An element with its value in `V` and its unit in `U`."""
    shown = f' U="{_escaped(unit)}"' if unit else ""
    return f'<{tag} V="{_escaped(value)}"{shown}/>'


def hello(device_id: str, vendor: str, model: str, serial: str) -> str:
    """Body of HEL.R01."""
    fields = (("device", device_id), ("vendor", vendor), ("model", model), ("serial", serial))
    return "<DEV>" + "".join(leaf(f"DEV.{name}_id", value) for name, value in fields) + "</DEV>"


def status(waiting: int) -> str:
    """Body of DST.R01."""
    return f"<DST>{leaf('DST.new_observations_qty', str(waiting))}</DST>"


def observation(code: str, value: str, unit: str, note: str) -> str:
    """One analyte of a result."""
    text = f"<NTE>{leaf('NTE.text', note)}</NTE>" if note else ""
    return f"<OBS>{leaf('OBS.observation_id', code)}{leaf('OBS.value', value, unit)}{text}</OBS>"


def service(role: str, measured: str, patient: str, observations: str) -> str:
    """Body of OBS.R01: a patient's result, or one of a control without a patient [R]."""
    whose = f"<PT>{leaf('PT.patient_id', patient)}{observations}</PT>" if patient else observations
    return f"<SVC>{leaf('SVC.role_cd', role)}{leaf('SVC.observation_dttm', measured)}{whose}</SVC>"


def bomb(document: bytes) -> bytes:
    """The same document behind entities that would grow to gigabytes."""
    entities = '<!ENTITY a "aaaaaaaaaaaaaaaa">'
    for earlier, later in zip("abcdefg", "bcdefgh", strict=True):
        entities += f'<!ENTITY {later} "{f"&{earlier};" * 16}">'
    grown = document.replace(b"</SVC>", b"<NTE>&h;</NTE></SVC>")
    return f'<?xml version="1.0"?><!DOCTYPE OBS.R01 [{entities}]>'.encode() + grown


def endless(document: bytes) -> bytes:
    """The document's beginning and then no end."""
    return document.partition(b"</SVC>")[0] + b"<NTE/>" * 16_384


def _escaped(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace('"', "&quot;")
