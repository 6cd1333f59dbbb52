"""What a pump link said, word for word by its closed list: question, start, stop, rate, or set-up.

Written from docs/devices, not from the drivers: a word that is in no list is a failure.
"""

import re
from collections.abc import Iterator, Mapping
from enum import Enum


class Said(Enum):
    """What a command can do to a pump."""

    QUESTION = "question"
    START = "start"
    STOP = "stop"
    RATE = "rate"
    SET_UP = "set-up"


_WORDS: Mapping[str, Mapping[Said, str]] = {
    "new-era": {
        Said.QUESTION: r"\?||VER|DIA|RAT|DIS|DIR|VOL",
        Said.START: "RUN",
        Said.STOP: "STP",
        Said.RATE: r"RAT[\d.]+(MH)?",
        Said.SET_UP: r"SAF\d+|PHN[12]|FUN(STP|RAT)|VOL0|DIRINF",
    },
    "alaris": {
        Said.QUESTION: r"INST_SERIALNO|COMMS_PROTOCOL|COMMS_RESPONSE_MAX|SYRINGE_STATUS|INF_RATE_MAX_SYRINGE"
        r"|INF_VTBI|INF_RATE|INF_VI|INF|ALARM|REMOTE_CTRL\^ENABLED\^[0-9A-F]{4}",
        Said.START: "INF_START",
        Said.STOP: "INF_STOP",
        Said.RATE: r"INF_RATE\^[\d.]+\^ml/h",
        Said.SET_UP: r"(?!)",
    },
    "harvard-ultra": {
        Said.QUESTION: r"ver|version|diameter|irate|irate lim|status|ivolume|tvolume|ttime",
        Said.START: "irun",
        Said.STOP: "stp",
        Said.RATE: r"irate [\d.]+ ul/min",
        Said.SET_UP: r"poll on|nvram (none|off)|ctvolume|cttime|tvolume [\d.]+ ul",
    },
    "harvard-22": {
        Said.QUESTION: "VER|DIA|RAT|DEL|VOL|MOD|TGT|TAR|DIR",
        Said.START: "RUN",
        Said.STOP: "STP",
        Said.RATE: r"RAT[\d.]+MH|MLH[\d.]+",
        Said.SET_UP: r"DIRINF|MODPMP|MODVOL|CLT|(TGT|MLT)[\d.]+",
    },
    "graseby-3400": {
        Said.QUESTION: r"CHCK|GETR|TOTL|CHKR\d+",
        Said.START: "STRT",
        Said.STOP: "STOP",
        Said.RATE: r"CHGR\d+",
        Said.SET_UP: r"(?!)",
    },
}


def said(driver: str, data: bytes) -> Iterator[tuple[Said, str]]:
    """The commands in what a link wrote at once. Raises AssertionError for one in no list."""
    for text in _commands(driver, data):
        kinds = [kind for kind, words in _WORDS[driver].items() if re.fullmatch(words, text)]
        assert len(kinds) == 1, f"{text!r} is not in the closed list of {driver}"
        yield kinds[0], text


def _commands(driver: str, data: bytes) -> Iterator[str]:
    if driver == "new-era":
        yield from _new_era(data)
        return
    for line in data.decode("ascii").split("\r"):
        text = line.strip("\n")
        if not text:
            continue
        match driver:
            case "alaris":
                yield text[1:].partition("|")[0]
            case "graseby-3400":
                yield text[1:].partition(">")[0]
            case "harvard-22":
                yield text[2:]
            case _:
                yield text.rpartition("@")[2]


def _new_era(data: bytes) -> Iterator[str]:
    while data:
        if data[0] == 2:
            text, data = data[2 : data[1] - 2], data[data[1] + 1 :]
        else:
            text, _, data = data.partition(b"\r")
        yield re.sub(r"\A\d\d", "", text.decode("ascii"))
