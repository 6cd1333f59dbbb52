"""nesp-lib drives the pump at the address given: Safe mode, 2 s watchdog."""

import json
import sys
import threading
import time

import nesp_lib


def main(address: str) -> dict[str, object]:
    lost: list[str] = []
    threading.excepthook = lambda args: lost.append(args.exc_type.__name__)
    port = nesp_lib.Port(address, 19_200)
    pump = nesp_lib.Pump(port, safe_mode_timeout_s=2)
    pump.syringe_diameter_mm = 26.59
    pump.pumping_direction = nesp_lib.PumpingDirection.INFUSE
    pump.volume_infused_clear()
    pump.pumping_rate_ml_per_min = 2.5
    said: dict[str, object] = {
        "model": pump.model_number,
        "firmware": list(pump.firmware_version),
        "watchdog_s": pump.safe_mode_timeout_s,
        "diameter_um": round(pump.syringe_diameter_mm * 1000),
        "rate_ul_h": round(pump.pumping_rate_ml_per_min * 60_000),
    }
    pump.run(wait_while_running=False)
    said["running"] = pump.running
    time.sleep(3.2)  # longer than the watchdog: only the heartbeat thread speaks
    said["running_after_silence"] = pump.running
    said["heartbeat_lost"] = lost
    try:
        pump.pumping_rate_ml_per_min = 8 / 60
        said["8_ml_h_while_running"] = "accepted"
    except nesp_lib.StateException as refusal:
        said["8_ml_h_while_running"] = type(refusal).__name__
    pump.stop()
    said["infused_ul"] = round(pump.volume_infused_ml * 1000)
    said["stopped"] = not pump.running
    return said


sys.stdout.write(json.dumps(main(sys.argv[1])) + "\n")
