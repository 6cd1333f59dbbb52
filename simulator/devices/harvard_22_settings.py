"""How an emulated Harvard pump of the 22 dialect is set up, and what differs between models."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Harvard22Settings:
    """Constructor settings of `Harvard22`; tags as in the pump sheet: [S] sourced, [I] inferred, [R] open.

    model: a key of `MAKES`. version: what VER tells, None as the model does.
    address: 0-99.
    diameter_um, syringe_um: entered and true inner diameter in µm; None when they are the same.
    capacity_ul: what the syringe holds in µL; None never ends. Empty is a stall where one is sensed.
    reply_delay_ms: time to answer.
    digits: longer numbers are cut to so many digits [S].
    target_while_running: a target may change while running [I].
    max_rate_ul_h: highest rate accepted, else OOR.
    """

    model: str = "2000"
    version: str | None = None
    address: int = 0
    diameter_um: int = 26_590
    syringe_um: int | None = None
    capacity_ul: int | None = None
    reply_delay_ms: int = 0
    digits: int = 5
    target_while_running: bool = True
    max_rate_ul_h: int = 2_000_000


@dataclass(frozen=True, slots=True)
class Make:
    """One model: what VER tells, which commands it knows, whether it senses a stall (`*`).

    `heeds_mode`: a target counts in VOLUME mode only [S, a public driver of the PHD 2000].
    """

    version: str
    commands: frozenset[str]
    senses_stall: bool
    heeds_mode: bool


_ALL = frozenset({"RUN", "STP", "VER", "DIA", "DIR", "RAT"})

MAKES = {
    "2000": Make("PHD2.0", _ALL | {"MOD", "DEL", "CLD", "TGT", "AF"}, senses_stall=False, heeds_mode=True),
    "22": Make(
        "22V2.0",
        _ALL | {"ULM", "MLH", "MMD", "MLT", "TAR", "CLT", "VOL"},
        senses_stall=True,
        heeds_mode=False,
    ),
    "33": Make("33V2.0", _ALL | {"MOD", "SAV"}, senses_stall=True, heeds_mode=False),
}
"""33V2.0 and the commands of the sheet are sourced; PHD is how a 2000 begins [S]; the rest is [R]."""
