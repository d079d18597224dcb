"""The context in which a simulated modem is there: its pty, its SIM and its control socket together."""

from pathlib import Path
from types import TracebackType
from typing import Any

from smscatch.errors import SmscatchError
from smscatch.simulator import actions
from smscatch.simulator.control import ControlSocket
from smscatch.simulator.state import StickSettings
from smscatch.simulator.stick import Stick


class SimulatedModem:
    """A modem that is there while its context is open: `device` links to a pty, `control` is its control socket.

    Entering raises CannotStart if either cannot be made. Both are gone after leaving.
    """

    def __init__(self, device: Path, control: Path | None = None, settings: StickSettings | None = None) -> None:
        self.device = device
        self.control = control
        self._stick = Stick(device, settings or StickSettings())
        self._socket = None if control is None else ControlSocket(control, self._perform)

    async def __aenter__(self) -> "SimulatedModem":
        # The socket first: it notices another modem of this name, whose link must not be replaced.
        if self._socket is not None:
            await self._socket.start()
        try:
            self._stick.start()
        except SmscatchError:
            if self._socket is not None:
                await self._socket.stop()
            raise
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._socket is not None:
            await self._socket.stop()
        await self._stick.stop()

    async def do(self, action: str, **arguments: Any) -> dict[str, Any]:
        """Do what actions lists under `action` and return the answer, as `tell` does from another process.

        Raises BadRequest with a sentence if it cannot be done.
        """
        return await self._perform(action, arguments)

    async def _perform(self, action: str, arguments: dict[str, Any]) -> dict[str, Any]:
        return await actions.perform(self._stick, action, arguments)
