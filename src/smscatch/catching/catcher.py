"""All of it together: a CA, the TLS listener, the proxy and the folder of one run, and the environment they make."""

import contextlib
import re
import tempfile
from collections.abc import AsyncGenerator, Mapping
from pathlib import Path

from smscatch.catching.authority import Authority
from smscatch.catching.beyond import Beyond
from smscatch.catching.environment import Surroundings, caught_environment, proxies_before
from smscatch.catching.folder import fill_folder
from smscatch.catching.forwarding import Destination, Forwarder
from smscatch.catching.listener import TlsListener
from smscatch.catching.proxy import Proxy
from smscatch.catching.reporting import Reporter
from smscatch.catching.tally import Tally


@contextlib.asynccontextmanager
async def catching(
    before: Mapping[str, str], target: Destination, tally: Tally
) -> AsyncGenerator[dict[str, str], None]:
    """Catch for as long as the block runs; give the environment of a program whose environment would be `before`.

    Raises BadSetting if something that `before` names cannot be used: a proxy of another kind, a bundle.
    """
    authority = Authority()
    beyond = Beyond.of(*proxies_before(before))
    async with contextlib.AsyncExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="smscatch-catch-", dir=_place())))
        reporter = Reporter(target)
        tally.report_host = reporter.note
        await stack.enter_async_context(reporter.telling())
        forwarder = Forwarder(target, tally)
        stack.push_async_callback(forwarder.close)
        listener = await stack.enter_async_context(TlsListener(authority, forwarder, tally).open())
        proxy = await stack.enter_async_context(Proxy(listener, forwarder, tally, beyond).open())
        fill_folder(folder, before, authority.certificate, proxy_port=proxy, listener_port=listener)
        yield caught_environment(before, Surroundings(folder, proxy, target.url, target.key, target.keeps_aws))


def _place() -> str:
    """Return where the folder of a run is made: where temporary files go, unless variables could not name it.

    Ruby and Java take their options apart at blanks, Python and PHP their places at colons.
    """
    given = tempfile.gettempdir()
    return given if re.fullmatch(r"[\w./+@-]+", given) else "/tmp"  # noqa: S108 - a new folder in it, for us alone
