"""Control laws to compare with, for trials only: a nurse is never offered one.

The core does not know them. A trial lends them to it, by name, while it clamps; before and after,
and in any process that runs no trial, the core refuses a protocol that asks for one.
"""

import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from types import MappingProxyType

from clampctl.core import dosing
from clampctl.core.laws.law import Law
from simulator.baselines.look_ahead import LookAhead
from simulator.baselines.pid_clamp import PidClamp

BASELINES: Mapping[str, Law] = MappingProxyType({"pid-clamp": PidClamp(), "look-ahead": LookAhead()})
"""Every baseline by its name in `trial --laws`."""

_lent = threading.RLock()


@contextmanager
def on_trial(laws: Mapping[str, Law] = BASELINES) -> Iterator[None]:
    """Let the core know these laws for a while, beside its own; threads of one process take turns.

    Raises ValueError for a name of the core's own: a trial may add a law, never replace one.
    """
    with _lent:
        if not laws.keys().isdisjoint(dosing.LAWS):
            raise ValueError(f"{', '.join(laws)}: a law of the core cannot be replaced")
        dosing.LAWS.update(laws)
        try:
            yield
        finally:
            for name in laws:
                del dosing.LAWS[name]
