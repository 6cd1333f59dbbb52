"""How an emulated Alaris / Asena pump is set up, and which of its unverified habits it has."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class AlarisSettings:
    """Constructor settings of `Alaris`; tags as in the pump sheet: [S] sourced, [I] inferred, [R] unverified.

    serial: serial number, which also makes the key of remote control [S infupy].
    protocol: what COMMS_PROTOCOL answers [S OpenICE].
    response_max_ms: the longest time for an answer that it states [S OpenICE].
    syringe_make, syringe_size: the syringe as told [S OpenICE].
    is_confirmed: a person has confirmed the syringe at the pump.
    is_permitting: remote control is permitted in its set-up.
    max_rate_ul_h: fastest rate with this syringe.
    capacity_ul: what the syringe holds in µL; None never ends. Empty is the end of the infusion.
    reply_delay_ms: time to answer.
    comms_fail_ms: silence after which an infusion started over serial ends [S CCDFU].
    control_alone_counts: only REMOTE_CTRL breaks that silence, not any frame [R].
    keypad_infusion_stops_too: silence also ends an infusion started at its keys [R].
    refusal: the word in place of PERMIT, and behind a command that is not carried out [R].
    alarms_in_one_reply: several alarms share one reply to ALARM, else they take turns [R].
    keeps_volume: the volume counter survives a power cycle [R].
    coarse_quantum_ul_h: steps of the rate above 99.9 mL/h [R].
    """

    serial: str = "8002-51740"
    protocol: str = "Asena Rev 2.1.5"
    response_max_ms: int = 4000
    syringe_make: str = "BD PLASTIPAK"
    syringe_size: str = " 50"
    is_confirmed: bool = True
    is_permitting: bool = True
    max_rate_ul_h: int = 1_200_000
    capacity_ul: int | None = None
    reply_delay_ms: int = 0
    comms_fail_ms: int = 15_000
    control_alone_counts: bool = False
    keypad_infusion_stops_too: bool = False
    refusal: str = "DENY"
    alarms_in_one_reply: bool = True
    keeps_volume: bool = False
    coarse_quantum_ul_h: int = 10
