"""Two messages for the ASTM peers to send: a sample with a comment longer than a frame, and a plain one."""

from clampctl.core.events import DeviceEvent, GlucoseSampled, LinkTroubled, SampleKind, Trouble
from drivers.analyzers.astm import Astm

REMARK = "drawn by the second nurse from the warmed hand " * 6
"""Longer than the 240 bytes of one frame."""


def message(number: int, minute: int, value: str, remark: str = "") -> list[str]:
    """Records of one sample, its glucose in mmol/L, as a Radiometer ABL sends them (analyzers 3.3)."""
    day = "20261122"
    comment = [f"C|1|L|USER^{remark}|G"] if remark else []
    return [
        f"H|\\^&|||ABL800^Bay 3||||||||1|{day}10{minute:02}30",
        "P|1||S017",
        f"O|1||Sample #^{number}||||||||||||Arterial^|",
        f"R|1|^^^Glu^M|{value}|mmol/L||N||F|||{day}10{minute:02}05",
        *comment,
        "L|1|N",
    ]


MESSAGES = [message(42, 15, "5.1", REMARK), message(43, 20, "5.4")]
VALUES = ["5.1", "5.4"]


class Heard:
    """What our receiver told."""

    def __init__(self) -> None:
        self.link = Astm("radiometer-abl")
        self.samples: list[GlucoseSampled] = []
        self.troubles: list[LinkTroubled] = []

    def hear(self, event: DeviceEvent) -> None:
        """One event of the link."""
        match event:
            case GlucoseSampled():
                self.samples.append(event)
            case LinkTroubled():
                self.troubles.append(event)
            case _:
                pass

    @property
    def values(self) -> list[str]:
        """Results that may dose, as sent."""
        return [f"{sample.raw_value}" for sample in self.samples if sample.kind is SampleKind.PATIENT]

    @property
    def damaged(self) -> int:
        """Frames told as damaged."""
        return sum(trouble.trouble is Trouble.BAD_FRAME for trouble in self.troubles)
