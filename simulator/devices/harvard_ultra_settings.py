"""How an emulated Harvard Ultra pump is set up, and which of its unverified habits it has."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class HarvardUltraSettings:
    """Constructor settings of `HarvardUltra`; tags as in the pump sheet: [S] sourced, [I] inferred, [R] open.

    name, firmware, serial: what `ver` and `version` tell [S recorded and flowchem].
    address: 0-99.
    diameter_um, syringe_um: entered and true inner diameter in µm; None when they are the same.
    capacity_ul: what the syringe holds in µL; None never ends. Empty is a stall.
    reply_delay_ms: time to answer.
    poll: XON behind every prompt from the start. echo: commands are repeated.
    addresses_lines: the address stands before every line too, not only before the prompt [S P33].
    nvram_word: the word this model knows for "keep nothing" [S none; R off].
    target_while_running: a target may change while running [I].
    tells_status: knows `status` [S PHDU p.88].
    tells_target_flag: a sixth flag in `status` [R].
    max_rate_ul_h: highest rate accepted; None when the plunger speed alone limits it.
    """

    name: str = "11 ELITE I/W Single 3.0.6"
    firmware: str = "v3.0.6"
    serial: str = "D101754"
    address: int = 0
    diameter_um: int = 26_590
    syringe_um: int | None = None
    capacity_ul: int | None = None
    reply_delay_ms: int = 0
    poll: bool = False
    echo: bool = False
    addresses_lines: bool = False
    nvram_word: str = "none"
    target_while_running: bool = True
    tells_status: bool = True
    tells_target_flag: bool = False
    max_rate_ul_h: int | None = None
