"""What a route is made of: path, handler, the scope it needs, the parameters it takes. Routing and OpenAPI read it.

No route stands here; the table is in routes.py.
"""

from collections.abc import Awaitable, Callable, Mapping
from types import MappingProxyType
from typing import Any, NamedTuple

from starlette.requests import Request
from starlette.responses import Response

from smscatch.access import Access, House
from smscatch.arriving import LateArrivals
from smscatch.committing import Committer
from smscatch.deliverers import Deliverers
from smscatch.errors import SmscatchError
from smscatch.hosts import CalledHosts
from smscatch.inbox import Inbox
from smscatch.keys import ADMIN
from smscatch.repeats import Repeats
from smscatch.settings import Settings
from smscatch.sinks.callbacks import Callbacks
from smscatch.smpp.accounts import Accounts
from smscatch.smpp.states import BindStates
from smscatch.spool import Writer
from smscatch.stores import Key
from smscatch.tries import Tries
from smscatch.web.arrivals import SourceArrivals
from smscatch.web.texts import Texts, choose_language, read_texts

Handler = Callable[[Request], Awaitable[Response]]
SendTest = Callable[[str, str], Awaitable[None]]  # sends a text to a line: its sender, the text
VEIL = "smscatch_veil"  # the cookie of a browser that veils codes until they are pointed at
DENSE = "smscatch_dense"  # the cookie of a browser that shows as many texts as fit


class Parameter(NamedTuple):
    """One query parameter or header: its JSON Schema type, what it means, and whether it may be given several times.

    `limits` are further keywords of JSON Schema, such as minimum and default: for a list those of each item; `items`
    are those of the list.
    """

    name: str
    type: str
    help: str
    is_list: bool = False
    is_required: bool = False
    limits: Mapping[str, Any] = MappingProxyType({})
    items: Mapping[str, int] = MappingProxyType({})


class Face(NamedTuple):
    """What the routes of one family have in common towards a client.

    `let_in` reads its credentials (authentication) and raises Unauthorized or Forbidden; `refuse` answers an error.
    `checks_names`: a query parameter that the route does not know is refused. `is_described`: OpenAPI shows the route.
    """

    let_in: Callable[[Request, "Endpoint"], Awaitable[None]]
    refuse: Callable[[Request, SmscatchError], Response]
    checks_names: bool
    is_described: bool


class Endpoint(NamedTuple):
    """One row of the route table. A key needs one of `scopes`; none: no key is needed.

    `answer` names a schema, several as `ONE|OTHER`, a list of one as `[ONE]`, or a MIME type; empty: there is none.
    `partly` names that of a list with status 207, where some of what came is refused.
    `refuses` are the errors that are this route's own; those of every route of its face are not named. `body` names the
    schema of the request's JSON, which may be left out unless `needs_body`. `headers` mean something to this route
    alone.
    """

    face: Face
    method: str
    path: str
    handler: Handler
    scopes: tuple[str, ...]
    answer: str
    parameters: tuple[Parameter, ...] = ()
    status: int = 200
    body: str = ""
    needs_body: bool = True
    headers: tuple[Parameter, ...] = ()
    refuses: tuple[type[SmscatchError], ...] = ()
    partly: str = ""


class Context(NamedTuple):
    """What the handlers share.

    `test_lines` are those on simulated modems, to which a test text can be sent; `deliverers` the sources,
    `arrivals` what came from each of late; `committer` keeps what is delivered, `spool` what cannot be read;
    `binds` is how those to SMSCs are; `callbacks` tells applications what became of what they sent, `repeats` knows
    what they sent of late, `hosts` where they sent it if not here, and `late` brings what the weather held back.
    `accounts` are the applications that are bound by SMPP, `smpp_port` is where they do that, None if they cannot.
    """

    house: House
    tries: Tries
    render: Callable[..., str]
    test_lines: Mapping[str, SendTest]
    deliverers: Deliverers
    arrivals: SourceArrivals
    spool: Writer
    committer: Committer
    binds: BindStates
    callbacks: Callbacks
    repeats: Repeats
    hosts: CalledHosts
    late: LateArrivals
    accounts: Accounts
    smpp_port: int | None = None

    @property
    def settings(self) -> Settings:
        """The settings of the house."""
        return self.house.settings


class View(NamedTuple):
    """Who looks at a page, and how: the key signed in with, if any; whether codes are veiled; the page's address.

    `is_dense` says whether a text takes one line of the list.
    """

    key: Key | None
    veils_codes: bool
    here: str
    is_dense: bool = False

    @property
    def looks(self) -> str:
        """The classes of the page for how it looks, with a blank between them."""
        return " ".join(name for name, is_so in (("veiled", self.veils_codes), ("dense", self.is_dense)) if is_so)

    @property
    def is_admin(self) -> bool:
        """Whether the key may do everything."""
        return self.key is not None and ADMIN in self.key.scopes


def context_of(request: Request) -> Context:
    """Return what the handlers share."""
    context: Context = request.app.state.context
    return context


def inbox_of(request: Request) -> Inbox:
    """Return the inbox."""
    return context_of(request).house.inbox


def access_of(request: Request) -> Access:
    """Return what the key that this request came with may see and do."""
    access: Access = request.state.access
    return access


def texts_of(request: Request) -> Texts:
    """Return the interface's texts in the language that the browser asks for."""
    return read_texts(choose_language(request.headers.get("accept-language", "")))


def render(request: Request, template: str, **values: Any) -> str:
    """Return a template's HTML."""
    here = request.url.path + (f"?{request.url.query}" if request.url.query else "")
    access = getattr(request.state, "access", None)
    view = View(access and access.key, request.cookies.get(VEIL) == "on", here, request.cookies.get(DENSE) == "on")
    return context_of(request).render(template, t=texts_of(request), view=view, **values)
