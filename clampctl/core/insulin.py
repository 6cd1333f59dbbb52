"""Insulin by the protocol: prime and maintenance against elapsed time, for any dose.

Decides the scheduled dose, not whether insulin may run (`fallback`) nor its limits (`interlocks`).
"""

from clampctl.core.protocol import ClampStep, Prime, Protocol


def step_at(protocol: Protocol, elapsed_ms: int) -> tuple[int, ClampStep, int]:
    """The clamp step at a time since insulin start: its index, the step, and time within it.

    After the end the last step goes on; see `total_ms`.
    """
    start_ms = 0
    last = len(protocol.steps) - 1
    if last == 0:
        return 0, protocol.steps[0], elapsed_ms
    for index, step in enumerate(protocol.steps[:last]):
        if elapsed_ms < start_ms + step.duration_ms:
            return index, step, elapsed_ms - start_ms
        start_ms += step.duration_ms
    return last, protocol.steps[last], elapsed_ms - start_ms


def total_ms(protocol: Protocol) -> int:
    """Length of all steps together."""
    total = 0
    for step in protocol.steps:
        total += step.duration_ms
    return total


def step_ends_ms(protocol: Protocol, index: int) -> int:
    """When step `index` ends, counted from insulin start."""
    total = 0
    for step in protocol.steps[: index + 1]:
        total += step.duration_ms
    return total


def multiple(prime: Prime, elapsed_ms: int) -> float:
    """Insulin as a multiple of maintenance at a time within a step (clamp-method 1.2)."""
    if elapsed_ms >= prime.until_ms:
        return 1.0
    found = 1.0
    for step in prime.steps:
        if elapsed_ms < step.from_ms:
            break
        found = step.multiple
    return found


def dose_mu_m2_min(protocol: Protocol, elapsed_ms: int, prime_allowed: bool) -> float:
    """The scheduled insulin dose; without its prime once insulin has been interrupted."""
    _, step, within_ms = step_at(protocol, elapsed_ms)
    if not prime_allowed:
        return step.insulin_mu_m2_min
    return step.insulin_mu_m2_min * multiple(step.prime, within_ms)


def peak_mu_m2_min(protocol: Protocol) -> float:
    """The highest dose the protocol ever schedules, primes included."""
    peak = 0.0
    for step in protocol.steps:
        peak = max(peak, step.insulin_mu_m2_min)
        for prime_step in step.prime.steps:
            peak = max(peak, step.insulin_mu_m2_min * prime_step.multiple)
    return peak
