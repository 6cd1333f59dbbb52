"""How an emulated Graseby 3400 is set up, and which of its unverified habits it has."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class GrasebySettings:
    """Constructor settings of `Graseby`; [S] sourced, [I] inferred, [R] unverified (sheet pumps.md 5.1).

    max_rate_ul_h: highest rate for the syringe that is in, 50 to 1200 mL/h [S].
    total_ul: size of one count of TOTL, µL [R; STANPUMP takes tenths of mL].
    check_compares: CHKR is refused when the rate is another one [I].
    questions_when_local: CHCK, GETR and TOTL are still answered after START was pressed [R].
    stops_after_s: silence after which the pump stops by itself; None keeps running [R].
    capacity_ul: what the syringe holds; None never ends. Empty is an alarm.
    reply_delay_ms: time to answer.
    """

    max_rate_ul_h: int = 1_200_000
    total_ul: int = 100
    check_compares: bool = True
    questions_when_local: bool = False
    stops_after_s: int | None = None
    capacity_ul: int | None = None
    reply_delay_ms: int = 0
