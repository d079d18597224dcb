"""A simulated modem: a Huawei E173 on a pty, with a SIM, a network behind it, and faults on request.

In an event loop, `async with SimulatedModem(...)`; alone, `python -m smscatch.modem.simulator`.
"""

from smscatch.modem.simulator.control import tell
from smscatch.modem.simulator.modem import SimulatedModem
from smscatch.modem.simulator.state import StickSettings

__all__ = ["SimulatedModem", "StickSettings", "tell"]
