"""What the ASTM link takes, holds and tells: records, statuses, senders, patients, times."""

from datetime import datetime

import pytest

from clampctl.core.commands import Role
from clampctl.core.events import GlucoseSampled, LinkHeard, SampleKind, Trouble
from drivers.analyzers.astm import Astm
from drivers.reading import Rules
from tests.drivers.astm_said import DOSES, H, Said, heard, said, samples, troubles

# --- taken or held ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    "words",
    [
        Said(),
        Said(status="V"),
        Said(flag="HH"),
        Said(code="^^^GLU^M"),
        Said(code="^^^glu"),
        Said(kind=""),
        Said(number="42"),
        Said(number="", tube="S017-3"),
        Said(stamp=""),
        Said(comment="C|1|L|drawn by JD|G"),
        Said(last="L|1"),
        Said(header=H.replace("|||||||1|", "||||||P|1|")),
    ],
)
def test_a_patients_final_result_is_taken(words: Said) -> None:
    events = said(Astm(), words)
    assert samples(events) == DOSES
    assert troubles(events) == []


@pytest.mark.parametrize(
    ("words", "why"),
    [
        (Said(status="P"), "preliminary"),
        (Said(status="Z"), "status 'Z'"),
        (Said(status=""), "without a status"),
        (Said(status="I"), "has no value"),
        (Said(status="C"), "does not know"),
        (Said(status="R"), "does not know"),
        (Said(value=""), "has no value"),
        (Said(value="....."), "has no value"),
        (Said(value="?5.1"), "doubted by the analyzer"),
        (Said(value="?5.1", comment="C|1|I|377^Drift|I"), "doubted by the analyzer itself (377 Drift)"),
        (Said(comment="C|1|I|12^Bubble|I"), "analyzer comment (12 Bubble)"),
        (Said(comment="C|1||12^Bubble"), "analyzer comment"),
        (Said(value="30.1", flag=">"), "beyond the analyzer's range"),
        (Said(value=">30.0"), "is not a plain number"),
        (Said(value="31.0"), "wrong unit?"),
        (Said(value="19", unit="mg/dL"), "wrong unit?"),
        (Said(value="5,1"), "is not a plain number"),
        (Said(value="-5.1"), "is not a plain number"),
        (Said(value="5.1e0"), "is not a plain number"),
        (Said(code="^^^Glu^C"), "not measured"),
        (Said(code="^^^Glu^I"), "not measured"),
        (Said(number=""), "without a sample number"),
        (Said(stamp="20261322101455"), "no readable time"),
        (Said(stamp="noon"), "no readable time"),
        (Said(last="L|1|E"), "broke off"),
    ],
)
def test_anything_else_is_held_with_its_number_and_a_reason(words: Said, why: str) -> None:
    events = said(Astm(), words)
    assert samples(events) == []
    ((trouble, detail),) = troubles(events)
    assert trouble is Trouble.REFUSED
    assert why in detail
    assert words.value.strip("?") in detail


@pytest.mark.parametrize("unit", ["g/L", "", "mmol"])
def test_a_number_without_a_known_unit_is_held(unit: str) -> None:
    events = said(Astm(), Said(unit=unit))
    assert samples(events) == []
    assert troubles(events) == [(Trouble.REFUSED, f"sample 42: unit {unit!r} is neither mmol/L nor mg/dL")]


@pytest.mark.parametrize("code", ["^^^Lac^M", "^^^GluU^M", "^^^Glutamate", "^^^", "Glu", ""])
def test_another_analyte_is_no_result_and_no_trouble(code: str) -> None:
    events = said(Astm(), Said(code=code))
    assert samples(events) == []
    assert troubles(events) == []
    assert LinkHeard(Role.ANALYZER, "a message without a new glucose result") in events


@pytest.mark.parametrize(
    ("words", "kind"),
    [
        (Said(number="QC #^7"), SampleKind.CONTROL),
        (Said(number="Control^7"), SampleKind.CONTROL),
        (Said(number="Cal #^7"), SampleKind.CALIBRATION),
        (Said(kind="QC^2"), SampleKind.CONTROL),
        (Said(number="Proficiency #^7"), SampleKind.INFORMATION),
        (Said(header=H.replace("|||||||1|", "||||||Q|1|")), SampleKind.CONTROL),
        (Said(header=H.replace("|||||||1|", "||||||T|1|")), SampleKind.INFORMATION),
    ],
)
def test_what_is_no_patients_blood_never_doses_and_its_holds_call_nobody(
    words: Said, kind: SampleKind
) -> None:
    assert samples(said(Astm(), words)) == [("5.1", kind)]
    doubted = Said(value="?5.1", number=words.number, kind=words.kind, header=words.header)
    assert [trouble for trouble, _ in troubles(said(Astm(), doubted))] == [Trouble.UNEXPECTED]


def test_a_control_and_a_sample_under_the_same_number_are_two() -> None:
    link = Astm()
    said(link, Said(number="QC #^42"))
    assert samples(said(link, Said())) == DOSES


# --- again and changed -----------------------------------------------------------------------


def test_the_same_result_again_is_dropped_and_an_equal_one_of_a_new_sample_counts() -> None:
    link = Astm()
    assert samples(said(link, Said())) == DOSES
    for words in (Said(), Said(status="R"), Said(header=H.replace("101530", "101630"))):
        assert (samples(said(link, words)), troubles(said(link, words))) == ([], [])
    assert samples(said(link, Said(number="Sample #^43", stamp="20261122102001"))) == DOSES


@pytest.mark.parametrize("status", ["C", "R", "F"])
def test_a_changed_number_is_never_a_second_sample(status: str) -> None:
    link = Astm()
    said(link, Said())
    events = said(link, Said(value="5.4", status=status))
    assert samples(events) == [("5.4", SampleKind.HISTORY)]
    assert [trouble for trouble, _ in troubles(events)] == [Trouble.REFUSED]


def test_a_correction_is_linked_by_its_number_though_its_time_differs() -> None:
    link = Astm()
    said(link, Said())
    events = said(link, Said(value="5.4", status="C", stamp="20261122101500"))
    assert samples(events) == [("5.4", SampleKind.HISTORY)]
    assert "it was 5.1 mmol/L" in troubles(events)[0][1]


def test_a_known_number_with_another_time_is_held() -> None:
    link = Astm()
    said(link, Said())
    events = said(link, Said(stamp="20261122101500"))
    assert samples(events) == []
    assert "another time" in troubles(events)[0][1]


def test_without_a_time_of_its_own_a_repeat_is_still_a_repeat() -> None:
    link = Astm()
    assert samples(said(link, Said(stamp=""))) == DOSES
    assert samples(said(link, Said(stamp="", header=H.replace("101530", "101930")))) == []


def test_numbers_are_forgotten_one_by_one() -> None:
    link = Astm()
    for number in range(600):
        said(link, Said(number=f"Sample #^{number}"))
    assert len(link._taken) == 512
    assert samples(said(link, Said(number="Sample #^599"))) == []


def test_of_two_glucose_values_of_one_sample_neither_counts() -> None:
    one, two = Said().records, Said(value="5.4").records
    events = heard(Astm(), *one[:4], two[3].replace("R|1", "R|2"), one[-1])
    assert samples(events) == []
    assert [detail.split(": ")[1] for _, detail in troubles(events)] == [
        "5.1 mmol/L is one of two glucose values of one sample",
        "5.4 mmol/L is one of two glucose values of one sample",
    ]


# --- whose, and when -------------------------------------------------------------------------


def test_another_serial_number_is_refused() -> None:
    header = H.replace("ABL800^Bay 3", "ABL800^6.12^754R0123")
    assert samples(said(Astm(serial="754R0123"), Said(header=header))) == DOSES
    for words in (Said(header=header.replace("0123", "0124")), Said(), Said(header=r"H|\^&|||754R0123")):
        events = said(Astm(serial="754R0123"), words)
        assert samples(events) == []
        assert "this station expects serial number 754R0123" in troubles(events)[0][1]


def test_a_second_analyzer_is_refused_even_after_a_new_connection() -> None:
    link = Astm()
    said(link, Said())
    link.opened(2, 0)
    events = said(link, Said(header=H.replace("Bay 3", "Bay 4"), number="Sample #^9"))
    assert samples(events) == []
    assert "comes from ABL800 Bay 4, this session began with ABL800 Bay 3" in troubles(events)[0][1]
    assert samples(said(link, Said(number="Sample #^43"))) == DOSES


@pytest.mark.parametrize("patient", ["S018", ""])
def test_another_patient_is_refused(patient: str) -> None:
    link = Astm()
    said(link, Said())
    events = said(link, Said(patient=patient, number="Sample #^43"))
    assert samples(events) == []
    assert f"carries the patient ID {patient!r}, this session's is 'S017'" in troubles(events)[0][1]
    assert samples(said(Astm(patient="S018"), Said())) == []


def test_a_tube_of_another_run_is_refused() -> None:
    rules = Rules(sample_prefix="S017")
    assert samples(said(Astm(rules=rules), Said(tube="S017-4"))) == DOSES
    events = said(Astm(rules=rules), Said(tube="X1"))
    assert samples(events) == []
    assert "not of this run" in troubles(events)[0][1]


def test_a_result_sent_long_after_it_was_measured_is_history_and_told_once() -> None:
    link, words = Astm(), Said(stamp="20261122100000")
    events = said(link, words)
    assert samples(events) == [("5.1", SampleKind.HISTORY)]
    assert "long before it was sent" in troubles(events)[0][1]
    assert troubles(said(link, words)) == []


def test_another_patients_history_does_not_choose_the_patient() -> None:
    link = Astm()
    said(link, Said(patient="S001", number="Sample #^1", stamp="20261122080000"))
    assert samples(said(link, Said())) == DOSES


def test_this_computers_clock_makes_history_too_and_tells_a_jump() -> None:
    link = Astm(wall_zero=datetime(2026, 11, 22, 10, 30))
    assert samples(said(link, Said())) == [("5.1", SampleKind.HISTORY)]
    link = Astm(wall_zero=datetime(2026, 11, 22, 10, 15, 40))
    for minute in range(3):
        words = Said(number=f"Sample #^{minute}", stamp=f"2026112210{14 + minute}55")
        assert troubles(heard(link, *words.records, now_ms=minute * 60_000)) == []
    moved = Said(number="Sample #^45", stamp="20261122101955", header=H.replace("101530", "102030"))
    assert "clock moved by -120 s" in troubles(heard(link, *moved.records, now_ms=180_000))[0][1]


def test_a_clock_without_seconds_may_be_two_minutes_off() -> None:
    link = Astm(wall_zero=datetime(2026, 11, 22, 10, 15, 40))
    for number, stamp in (
        ("1", "202611221014"),
        ("2", "202611221014"),
        ("3", "202611221014"),
        ("4", "202611221015"),
    ):
        header = H.replace("20261122101530", stamp)
        events = said(link, Said(number=f"Sample #^{number}", stamp=stamp, header=header))
        assert samples(events) == DOSES
        assert troubles(events) == []


def test_whole_blood_is_made_plasma_once_where_the_station_says_so() -> None:
    link = Astm(rules=Rules(from_whole_blood=True))
    (sample,) = [event for event in said(link, Said(value="5.0")) if isinstance(event, GlucoseSampled)]
    assert sample.glucose_mg_dl == pytest.approx(5.0 * 1.11 * 18.0156)
    assert "whole blood x 1.11" in sample.flags


def test_a_change_of_unit_is_a_hard_stop() -> None:
    link = Astm()
    said(link, Said())
    events = said(link, Said(value="92", unit="mg/dL", number="Sample #^43"))
    assert samples(events) == []
    assert "changed its unit" in troubles(events)[0][1]
