"""Results that a YSI may count as sent though they never came: how far back to ask by number.

Source: analyzers reference 4.1 (`RS1` to `RS9`). That the number counts back from the latest is
unverified [R]; the sample's own number and time tell what came, so a wrong guess costs a repeat.
"""

NUMBERED = tuple(f"RS{number}" for number in range(1, 10))


class Lost:
    """Depth to ask back to; 0 when every reply came whole."""

    def __init__(self) -> None:
        self._back = 0

    def reply_lost(self) -> None:
        """A question for new results was not answered whole: one more result may be missing."""
        self._back = min(self._back + 1, len(NUMBERED))

    def result_came(self) -> None:
        """A newer result pushes what is missing further back."""
        if self._back:
            self.reply_lost()

    def forget(self) -> None:
        """Nothing is missing, or it cannot be asked for."""
        self._back = 0

    def after(self, query: str) -> str | None:
        """What to ask after an answered question; None when all was asked, and all is forgotten."""
        step = NUMBERED.index(query) + 1 if query in NUMBERED else 0
        if step < self._back:
            return NUMBERED[step]
        self._back = 0
        return None
