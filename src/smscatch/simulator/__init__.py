"""A simulated modem: a Huawei E173 on a pty, with a SIM, a network behind it, and faults on request.

In an event loop, `async with SimulatedModem(...)`; alone, `python -m smscatch.simulator`.
"""

from smscatch.simulator.control import tell
from smscatch.simulator.modem import SimulatedModem
from smscatch.simulator.state import StickSettings

__all__ = ["SimulatedModem", "StickSettings", "tell"]
