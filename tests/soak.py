"""Every device for a minute over a pseudo-terminal, cut into 1 to 7 bytes: `make soak`.

1 when one loses something. `clampctl emulate` and `clampctl probe` are run as a user would, each in
a process of its own.
"""

import json
import subprocess
import sys
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from drivers.catalog import ANALYZERS, DRIVERS
from simulator.devices import EMULATED
from simulator.furniture import SETTINGS

SECONDS = 60
AT_ONCE = 5
RESULT_EVERY_S = 20
"""Further apart than what a link calls a rush (a meter's memory being read out)."""

IN_FLIGHT_BYTES = 512
"""A message may be under way before the probe is there, and when it hangs up."""

LATE_RESULTS = 2
"""Results may be in the machine when the probe hangs up."""

EARLY_RESULTS = 1
"""A result may be in the machine before the probe is there: it is told as history, as it should be."""

HISTORY = "kept as history"

ROW = "{:16} {:>9} {:>9} {:>9} {:>9} {:>8} {:>8} {:>8}  {}"


def command(*words: str) -> list[str]:
    """A command of clampctl."""
    return [sys.executable, "-m", "clampctl.cli", *words]


def talked(name: str) -> dict[str, Any]:
    """One device and its probe, for a while: what each counted."""
    is_analyzer = name in ANALYZERS
    samples = ["--glucose", "92", "--every", str(RESULT_EVERY_S), "--setting", "run_ms=1000"]
    emulate = command("emulate", name, "--pty", "--split", *(samples if is_analyzer else ()))
    with subprocess.Popen(emulate, stdout=subprocess.PIPE, text=True) as device:
        assert device.stdout is not None
        address = json.loads(device.stdout.readline())["address"]
        settings = [f"--setting={key}={value}" for key, value in SETTINGS.get(name, {}).items()]
        probe = command("probe", name, "--port", address, "--seconds", str(SECONDS), "--json", *settings)
        lines = subprocess.run(probe, stdout=subprocess.PIPE, text=True, check=False).stdout.splitlines()
        device.terminate()
        told = json.loads(device.communicate()[0])
    rows = [json.loads(line) for line in lines]
    troubles = [row["detail"] for row in rows if row["type"] in ("LinkTroubled", "LinkLost")]
    results = [row["sample_id"] for row in rows if row["type"] == "GlucoseSampled"]
    return {"name": name, "device": told, "probe": rows[-1], "troubles": troubles, "results": results}


def judged(found: dict[str, Any]) -> str:
    """What was lost; empty when nothing was."""
    device, probe = found["device"], found["probe"]
    if not probe["heard_bytes"]:
        return "nothing was heard"
    if device["heard_bytes"] != probe["sent_bytes"]:
        return "the device did not hear every byte"
    if not 0 <= device["sent_bytes"] - probe["heard_bytes"] <= IN_FLIGHT_BYTES:
        return "the probe did not hear every byte"
    kept = [trouble for trouble in found["troubles"] if HISTORY in trouble]
    if len(kept) > EARLY_RESULTS:
        return f"{len(kept)} results kept as history, the first: {kept[0]}"
    troubles = [trouble for trouble in found["troubles"] if trouble not in kept]
    if troubles:
        return f"{len(troubles)} troubles, the first: {troubles[0]}"
    if max(Counter(found["results"]).values(), default=1) > 1:
        return "a result was told twice"
    if device["samples"] - len(found["results"]) - len(kept) > LATE_RESULTS:
        return f"{device['samples']} samples, {len(found['results'])} results"
    return ""


def main() -> int:
    """Run all devices, some at once; print the table."""
    names = [name for name in DRIVERS if name in EMULATED]
    heads = ("device", "host sent", "dev heard", "dev sent", "host hrd", "samples", "results", "troubles", "")
    print(f"{SECONDS} s each, pieces of 1 to 7 bytes both ways")
    print(ROW.format(*heads))
    lost = 0
    with ThreadPoolExecutor(AT_ONCE) as pool:
        for found in pool.map(talked, names):
            device, probe, sentence = found["device"], found["probe"], judged(found)
            lost += bool(sentence)
            print(
                ROW.format(
                    found["name"], probe["sent_bytes"], device["heard_bytes"], device["sent_bytes"],
                    probe["heard_bytes"], device["samples"], len(found["results"]), len(found["troubles"]),
                    sentence or "ok",
                ),
                flush=True,
            )  # fmt: skip
    return int(lost > 0)


if __name__ == "__main__":
    raise SystemExit(main())
