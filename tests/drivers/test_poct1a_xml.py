"""Where POCT1-A messages begin and end, whatever a network sends; and what a result may say."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from clampctl.core.events import GlucoseSampled, LinkTroubled
from drivers.analyzers.poct1a import Poct1a
from drivers.analyzers.poct1a_messages import observations_of
from drivers.analyzers.poct1a_xml import BETWEEN_CAP, DEPTH_CAP, MESSAGE_CAP, Element, MessageSplitter
from drivers.framing import Damage

GOOD = b'<EOT.R01><HDR><HDR.control_id V="7"/></HDR></EOT.R01>'
INVALID = "damaged message: not well-formed (invalid token)"
REFUSED = "a document type or entity, message dropped"


def fed(*pieces: bytes) -> list[str]:
    """What came out: the names of messages, the reasons of damage."""
    splitter = MessageSplitter()
    found = [one for piece in pieces for one in splitter.feed(piece)]
    return [one.reason if isinstance(one, Damage) else one.tag for one in found]


@pytest.mark.parametrize(
    ("data", "outcome"),
    [
        (GOOD + GOOD, ["EOT.R01"] * 2),
        (b"\r\n \t" + GOOD + b"\n\n" + GOOD, ["EOT.R01"] * 2),
        (b"\xef\xbb\xbf<?xml version='1.0'?>\n" + GOOD, ["EOT.R01"]),
        (b"\xff\x00noise" + GOOD, ["bytes that are no message", "EOT.R01"]),
        (b"<EOT.R01><HDR>" + GOOD, ["message cut short", "EOT.R01"]),
        (b"<EOT.R01><HDR></EOT.R01>" + GOOD, ["damaged message: mismatched tag", "EOT.R01"]),
        (b"<EOT.R01>&lol;</EOT.R01>" + GOOD, ["damaged message: undefined entity", "EOT.R01"]),
        (b"<EOT.R01 a='\xf8'></EOT.R01>" + GOOD, [INVALID, "EOT.R01"]),
        (b"<!DOCTYPE x SYSTEM 'file:///x'>" + GOOD + GOOD, [REFUSED, "EOT.R01"]),
        (b"<?xml version='1.0' encoding='utf-16'?>" + GOOD, ["encoding utf-16 is not known"]),
        (b"x" * (3 * BETWEEN_CAP) + GOOD, ["bytes that are no message", "EOT.R01"]),
    ],
)  # fmt: skip
def test_streams_and_what_is_found_in_them(data: bytes, outcome: list[str]) -> None:
    assert fed(data) == outcome
    assert fed(*(data[at : at + 1] for at in range(len(data)))) == outcome


def test_a_message_without_end_is_dropped_once_and_the_next_is_found() -> None:
    data = b"<OBS.R01>" + b"<NTE/>" * (MESSAGE_CAP // 4) + b"</OBS.R01>" + GOOD
    outcome = ["message without end", "EOT.R01"]
    assert fed(data) == outcome
    assert fed(*(data[at : at + 61] for at in range(0, len(data), 61))) == outcome


@pytest.mark.parametrize(("length", "outcome"), [(0, "EOT.R01"), (1, "message without end")])
def test_the_longest_message(length: int, outcome: str) -> None:
    filler = b" " * (MESSAGE_CAP - len(GOOD) + length)
    assert fed(GOOD.replace(b"</EOT", filler + b"</EOT")) == [outcome]


@pytest.mark.parametrize(("depth", "is_read"), [(DEPTH_CAP - 1, True), (DEPTH_CAP, False)])
def test_the_deepest_message(depth: int, is_read: bool) -> None:
    data = b"<EOT.R01>" + b"<a>" * depth + b"</a>" * depth + b"</EOT.R01>"
    wrong = "damaged message: too many elements inside one another"
    assert fed(data) == ["EOT.R01" if is_read else wrong]


def test_entities_of_the_language_itself_are_read() -> None:
    (found,) = MessageSplitter().feed(b'<EOT.R01><a V="&lt;&#65;&amp;"/></EOT.R01>')
    assert isinstance(found, Element)
    assert found.value("a") == "<A&"


@given(st.lists(st.binary(max_size=3000), max_size=30))
@settings(max_examples=60)
def test_noise_never_raises_and_the_memory_stays_small(pieces: list[bytes]) -> None:
    link = Poct1a()
    link.opened(1, 0)
    for piece in pieces:
        assert not any(isinstance(event, GlucoseSampled) for event in link.receive(piece, 0))
        assert len(link._splitter._buffer) <= MESSAGE_CAP + 3000
    assert link.take_output() == b""


@given(
    st.lists(st.sampled_from([b"<OBS.R01>", b"</OBS.R01>", b"<HDR>", b"<!", b"&a;", b'V="1"', GOOD, b"\xff"]))
)
def test_scraps_of_messages_never_raise_whatever_their_cut(scraps: list[bytes]) -> None:
    data = b"".join(scraps)
    assert fed(data) == fed(*(data[at : at + 3] for at in range(0, len(data), 3)))


# --- results ---------------------------------------------------------------------------------


def taken(service: str) -> list[tuple[str, str, str]]:
    """Value, sample and doubt of each glucose result of a message."""
    (message,) = MessageSplitter().feed(f"<OBS.R01>{service}</OBS.R01>".encode())
    assert isinstance(message, Element)
    found = observations_of(message, "SN", frozenset({"GLU"}), are_notes_doubts=True)
    return [(one.result.value, one.result.sample, one.doubt) for one in found]


def service(
    role: str = "OBS", at: str = "2026-11-22T10:14:55", code: str = "GLU", more: str = "", value: str = "5.1"
) -> str:
    return (
        f'<SVC><SVC.role_cd V="{role}"/><SVC.observation_dttm V="{at}"/><PT><PT.patient_id V="S017"/>'
        f'<OBS><OBS.observation_id V="{code}"/><OBS.value V="{value}" U="mmol/L"/>{more}</OBS></PT></SVC>'
    )


@pytest.mark.parametrize(
    ("text", "found"),
    [
        (service(), [("5.1", "S017", "")]),
        (service(code="glu"), [("5.1", "S017", "")]),
        (service(code="LAC"), []),
        (service() + service(value="5.2"), [("5.1", "S017", ""), ("5.2", "S017", "")]),
        (service(role="XYZ"), [("5.1", "S017", "its role is XYZ, not OBS")]),
        (service(role=""), [("5.1", "S017", "its role is missing, not OBS")]),
        (service(at=""), [("5.1", "S017", "it has no time")]),
        (service(more='<OBS.status_cd V="A"/>'), [("5.1", "S017", "")]),
        (service(more='<OBS.status_cd V="D"/>'), [("5.1", "S017", "its status is D")]),
        (service(more='<NTE><NTE.text V="redo"/></NTE>'), [("5.1", "S017", "the meter noted 'redo'")]),
        ("<SVC><OBS/></SVC>", []),
        ("", []),
    ],
)
def test_results_and_what_makes_them_doubtful(text: str, found: list[tuple[str, str, str]]) -> None:
    assert taken(text) == found


def test_a_result_without_a_value_is_told() -> None:
    (message,) = MessageSplitter().feed(
        b'<OBS.R01><SVC><SVC.role_cd V="OBS"/><SVC.observation_dttm V="x"/>'
        b'<OBS><OBS.observation_id V="GLU"/></OBS></SVC></OBS.R01>'
    )
    assert isinstance(message, Element)
    (found,) = observations_of(message, "SN", frozenset({"GLU"}), are_notes_doubts=True)
    assert (found.result.value, found.result.unit, found.result.measured) == ("", "", None)


@pytest.mark.parametrize("codes", ["GLU, 2339-0", ("glu", "2339-0")])
def test_codes_are_a_setting(codes: str | tuple[str, ...]) -> None:
    assert Poct1a(glucose_codes=codes)._codes == {"GLU", "2339-0"}


def test_no_code_at_all_is_refused() -> None:
    with pytest.raises(ValueError, match="names no code"):
        Poct1a(glucose_codes=" , ")


@pytest.mark.parametrize(
    "head", ["", '<HDR><HDR.control_id V=""/></HDR>', '<HDR><HDR.control_id V="a&quot;b"/></HDR>']
)
def test_a_message_whose_number_cannot_be_repeated_is_damage(head: str) -> None:
    link = Poct1a()
    link.opened(1, 0)
    (event,) = link.receive(f"<HEL.R01>{head}</HEL.R01>".encode(), 0)
    assert isinstance(event, LinkTroubled)
    assert event.detail == "HEL.R01 has no readable control ID"
    assert link.take_output() == b""
