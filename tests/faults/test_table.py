"""The committed fault table is what happens today."""

from tests.faults.__main__ import PAGE, cases, page, played


def test_the_page_is_what_happens() -> None:
    rows = [played(case) for case in cases()]
    assert [one.happened for one in rows if not one.green] == []
    assert PAGE.read_text(encoding="utf-8") == page(rows), "run `make faults` and look at what changed"


def test_every_row_is_told_apart() -> None:
    names = [(case.device, case.fault, case.expected) for case in cases()]
    assert len(set(names)) == len(names)
