"""How the body defends itself below 70 mg/dL: glucagon and adrenaline, late, and nothing at all above.

Thresholds of both lie at 68 ± 1 mg/dL (Mitrakou 1991, AJP 260:E67); 70 is where clinical hypoglycaemia
begins. What is felt is the depth below 70, through one delay for each hormone. Sizes [A], set to what
was measured: with insulin still high, glucose production returns to about basal at 54 mg/dL (Cersosimo
2001, Diabetes 50:2087) and rises two- to threefold after deep hypoglycaemia; in type 1 diabetes both
hormones and the rebound are less by 60-80 % (Diabetes 1983, 32:493). Not here: growth hormone and
cortisol (hours), symptoms, and a threshold that moves after repeated hypoglycaemia.
"""

from simulator.subjects.values import Value, positive

THRESHOLD_MG_DL = 70.0
GLUCAGON_DELAY_PER_MIN = 1.0 / 15.0
ADRENALINE_DELAY_PER_MIN = 1.0 / 25.0
GLUCAGON_GAIN_PER_MIN = 0.06  # production gained, mg/kg/min for each mg/dL felt
ADRENALINE_GAIN_PER_MIN = 0.05  # likewise
ADRENALINE_BRAKE_PER_MG_DL = 0.015  # uptake is divided by 1 + this for each mg/dL felt


def slopes(
    glucose_mg_dl: Value,
    glucagon_mg_dl: Value,
    adrenaline_mg_dl: Value,
    glucagon_share: Value,
    adrenaline_share: Value,
) -> tuple[Value, Value]:
    """How fast the two responses change, each as mg/dL below 70 that a healthy person would feel, per minute.

    A share is what is left of a healthy response, 0 to 1.
    """
    depth = depth_mg_dl(glucose_mg_dl)
    return (
        GLUCAGON_DELAY_PER_MIN * (glucagon_share * depth - glucagon_mg_dl),
        ADRENALINE_DELAY_PER_MIN * (adrenaline_share * depth - adrenaline_mg_dl),
    )


def depth_mg_dl(glucose_mg_dl: Value) -> Value:
    """How far glucose lies below 70 mg/dL; exactly 0 above."""
    return positive(THRESHOLD_MG_DL - glucose_mg_dl)


def production_mg_kg_min(glucagon_mg_dl: Value, adrenaline_mg_dl: Value) -> Value:
    """Glucose production gained."""
    return GLUCAGON_GAIN_PER_MIN * glucagon_mg_dl + ADRENALINE_GAIN_PER_MIN * adrenaline_mg_dl


def uptake_divisor(adrenaline_mg_dl: Value) -> Value:
    """What tissue uptake is divided by, 1 without adrenaline."""
    return 1.0 + ADRENALINE_BRAKE_PER_MG_DL * adrenaline_mg_dl
