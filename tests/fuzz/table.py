"""Every parser there is: one row per device."""

from tests.fuzz.analyzers import ANALYZERS
from tests.fuzz.pumps import PUMPS
from tests.fuzz.row import Row

ROWS: tuple[Row, ...] = PUMPS + ANALYZERS
