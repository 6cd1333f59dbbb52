"""Questions to the engineer at the bench, asked until the answer is one."""

import math
from collections.abc import Callable

NOT_CONNECTED = "NOT CONNECTED"
"""What must be typed before anything may move."""


class Engineer:
    """Whoever sits at the bench: `ask` shows a question and gives what was typed, `say` only shows."""

    def __init__(self, ask: Callable[[str], str], say: Callable[[str], None]) -> None:
        self.ask = ask
        self.say = say

    def text(self, question: str) -> str:
        """Something that is not empty."""
        while not (answer := self.ask(question).strip()):
            self.say("An answer is needed.")
        return answer

    def yes(self, question: str) -> bool:
        """Yes or no."""
        while (answer := self.ask(f"{question} (yes/no)").strip().lower()) not in ("yes", "y", "no", "n"):
            self.say("Type yes or no.")
        return answer.startswith("y")

    def did(self, request: str) -> bool:
        """Something done, told by the Enter key alone; False for anything typed, such as no."""
        return not self.ask(f"{request} Then press Enter.").strip()

    def number(self, question: str, unit: str) -> float:
        """A number above 0, with a decimal point."""
        while True:
            try:
                value = float(self.ask(f"{question} ({unit})").strip())
            except ValueError:
                value = math.nan
            if 0.0 < value < math.inf:
                return value
            self.say("Type a number above 0, with a decimal point.")
