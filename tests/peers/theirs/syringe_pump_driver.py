"""python-syringe-pump (GPLv3) drives the pump at the address given; a program of its own."""

import asyncio
import json
import sys

import aioserial
from quantiphy import Quantity
from syringe_pump.exceptions import PumpCommandError
from syringe_pump.pump import Pump

LITRES_PER_MIN_TO_UL_H = 60e6


async def opened(pump: Pump) -> str:
    """Its own opening; what the pump refused of it."""
    try:
        await pump._initialise()
    except PumpCommandError as refusal:
        return str(refusal.response.command)
    return ""


async def drive(address: str) -> dict[str, object]:
    pump = Pump(aioserial.AioSerial(address, 115_200, timeout=3))
    refused = await opened(pump)
    version = await pump.version()
    await pump.syringe.set_diameter(26.59)
    await pump.infusion_volume.clear()
    await pump.infusion_rate.set(Quantity("2.5 ml/min"))
    said: dict[str, object] = {
        "refused": refused,
        "firmware": version.firmware,
        "serial": version.serial_number,
        "diameter_um": round((await pump.syringe.get_diameter()).real * 1e6),
        "rate_ul_h": round((await pump.infusion_rate.get()).real * LITRES_PER_MIN_TO_UL_H),
        "limits_ul_h": [
            round(limit.real * LITRES_PER_MIN_TO_UL_H) for limit in await pump.infusion_rate.get_limits()
        ],
    }
    await pump.run()
    await asyncio.sleep(1.0)
    said["prompt"] = (await pump._write("irate")).prompt
    await pump.stop()
    said["prompt_stopped"] = (await pump._write("irate")).prompt
    said["infused_ul"] = round((await pump.infusion_volume.get()).real * 1e6)
    return said


sys.stdout.write(json.dumps(asyncio.run(drive(sys.argv[1]))) + "\n")
