"""The faces that routes have: how each family of them lets a client in, and refuses it."""

from starlette.requests import Request

from smscatch.web.api.inbound import let_provider_in
from smscatch.web.auth import identify, refuse_cross_site
from smscatch.web.compat import mailosaur
from smscatch.web.compat.send import let_sender_in, refuse_sender
from smscatch.web.endpoint import Endpoint, Face
from smscatch.web.refusals import refuse, refuse_page, refuse_provider


async def let_in(request: Request, endpoint: Endpoint) -> None:
    """Let in whoever brings a key with the scope that the route needs, in a header or a session's cookie.

    A route without scopes is open, but no page of another site may act through it (CSRF).
    """
    if endpoint.scopes:
        await identify(request, endpoint)
    elif endpoint.method == "POST":
        refuse_cross_site(request)


API = Face(let_in, refuse, checks_names=True, is_described=True)
PAGE = Face(let_in, refuse_page, checks_names=True, is_described=False)
# Requests of other people's services, in their forms: a signature lets them in.
PROVIDER = Face(let_provider_in, refuse_provider, checks_names=False, is_described=False)
# Requests of SDKs that take us for their provider, with a key of ours in the place of the provider's.
SEND_API = Face(let_sender_in, refuse_sender, checks_names=False, is_described=False)
# Requests of Mailosaur's clients, which bring a key of ours as the user name of Basic.
MAILOSAUR = Face(let_in, mailosaur.refuse, checks_names=False, is_described=False)
# Requests of agents' programs, whose forms are those of the Model Context Protocol.
TOOLS = Face(let_in, refuse, checks_names=False, is_described=False)
