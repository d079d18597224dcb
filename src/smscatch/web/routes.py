"""The route table: what there is over HTTP, a row each."""

from functools import partial

from smscatch.errors import (
    BadDelivery,
    LeaseEnded,
    NoApplication,
    NoFreeLine,
    NoModem,
    NotFound,
    SourceExists,
    UnknownLease,
    UnknownLine,
)
from smscatch.keys import ADMIN, INGEST, LEASE, READ, SEND
from smscatch.rights import ORIGINS
from smscatch.web import pages
from smscatch.web.api import generic, inbound, leases, mcp, messages, replies, sources, state, weather
from smscatch.web.compat import firebase, mailosaur, mailosaur_devices, original, send
from smscatch.web.endpoint import Endpoint
from smscatch.web.faces import API, MAILOSAUR, PAGE, PROVIDER, SEND_API, TOOLS
from smscatch.web.params import (
    AFTER,
    AS_SENT,
    BEFORE,
    CHOSEN,
    FILTERS,
    LAST_EVENT_ID,
    LEASE_WAIT,
    LIMIT,
    LINE,
    NEXT,
    THESE_LINES,
    TICKET,
    UP_TO,
    WAIT,
    WAY,
)
from smscatch.web.responses import JSON

EVENTS, HTML, TEXT = "text/event-stream", "text/html", "text/plain"
LIST = (*FILTERS, AFTER, BEFORE, LIMIT)
LEASED = "Lease|LeaseGroup"
GET, POST, DELETE = (partial(Endpoint, API, method) for method in ("GET", "POST", "DELETE"))
SHOW, SUBMIT = partial(Endpoint, PAGE, "GET"), partial(Endpoint, PAGE, "POST")

PAGES = (
    SHOW("/", pages.inbox.inbox_page, (READ,), HTML, (*FILTERS, WAY, AFTER, BEFORE)),
    SHOW("/live", pages.inbox.live, (READ,), EVENTS, (*FILTERS, WAY, AFTER)),
    SHOW("/messages/{id}", pages.message.message_page, (READ,), HTML),
    SHOW("/messages/{id}/raw", pages.message.download_raw, ORIGINS, "application/octet-stream"),
    SUBMIT(
        "/messages/delete", pages.inbox.delete_shown, (ADMIN,), HTML, (*FILTERS, WAY, AFTER, BEFORE, UP_TO, AS_SENT)
    ),
    SUBMIT("/messages/{id}/delete", pages.message.delete, (ADMIN,), HTML),
    SUBMIT("/messages/{id}/reply", pages.message.reply, (LEASE, SEND), HTML),
    SHOW("/lines", pages.lines.lines_page, (READ, LEASE), HTML, (CHOSEN,)),
    SHOW("/lines/live", pages.lines.live, (READ, LEASE), EVENTS),
    SUBMIT("/leases/{id}/end", pages.lines.end_lease, (LEASE,), HTML),
    SUBMIT("/lines/{line}/send", pages.lines.send_test, (INGEST,), HTML),
    SUBMIT("/sources", pages.sources.make_source, (ADMIN,), HTML),
    SUBMIT("/sources/{source}/secret", pages.sources.change_source_secret, (ADMIN,), HTML),
    SUBMIT("/sources/{source}/drop", pages.sources.drop_old_secrets, (ADMIN,), HTML),
    SUBMIT("/sources/{source}/remove", pages.sources.remove_added, (ADMIN,), HTML),
    SUBMIT("/weather", pages.weather.make_weather, (LEASE,), HTML),
    SUBMIT("/weather/{id}/end", pages.weather.end_weather, (LEASE,), HTML),
    SHOW("/keys", pages.keys.keys_page, (ADMIN,), HTML),
    SUBMIT("/keys", pages.keys.make_key, (ADMIN,), HTML),
    SUBMIT("/keys/{id}", pages.keys.limit_key, (ADMIN,), HTML),
    SUBMIT("/keys/{id}/revoke", pages.keys.revoke_key, (ADMIN,), HTML),
    SHOW("/docs", pages.docs.docs_page, (READ,), HTML),
    SHOW("/login", pages.login.login_page, (), HTML, (NEXT,)),
    SUBMIT("/login", pages.login.login, (), HTML),
    SUBMIT("/logout", pages.login.logout, (), HTML),
    SUBMIT("/veil", pages.login.veil, (), HTML),
    SUBMIT("/dense", pages.login.dense, (), HTML),
    SHOW("/icon/{count}.svg", pages.icons.unread_icon, (), "image/svg+xml"),
    SHOW("/manifest.webmanifest", pages.icons.manifest, (), "application/manifest+json"),
)
# Which operations of a provider's API a key may do, the operation says itself.
SENDING = {"GET": (SEND, READ), "POST": (SEND,), "DELETE": (SEND,)}
READERS = (
    Endpoint(MAILOSAUR, "GET", "/api/messages", mailosaur.list_messages, (READ,), JSON),
    Endpoint(MAILOSAUR, "POST", "/api/messages", mailosaur.refuse_action, (READ,), JSON),
    Endpoint(MAILOSAUR, "DELETE", "/api/messages", mailosaur.delete_messages, (ADMIN,), "", status=204),
    Endpoint(MAILOSAUR, "POST", "/api/messages/search", mailosaur.search, (READ,), JSON),
    Endpoint(MAILOSAUR, "GET", "/api/messages/{id}", mailosaur.get_message, (READ,), JSON),
    Endpoint(MAILOSAUR, "DELETE", "/api/messages/{id}", mailosaur.delete_message, (ADMIN,), "", status=204),
    Endpoint(MAILOSAUR, "POST", "/api/messages/{id}/{action}", mailosaur.refuse_action, (READ,), JSON),
    Endpoint(MAILOSAUR, "GET", "/api/servers", mailosaur.list_servers, (READ,), JSON),
    Endpoint(MAILOSAUR, "GET", "/api/servers/{id}", mailosaur.get_server, (READ,), JSON),
    Endpoint(MAILOSAUR, "GET", "/api/screenshots/clients", mailosaur.list_email_clients, (READ,), JSON),
    Endpoint(MAILOSAUR, "GET", "/api/devices", mailosaur_devices.list_devices, (READ,), JSON),
    Endpoint(MAILOSAUR, "POST", "/api/devices", mailosaur_devices.create_device, (READ,), JSON),
    Endpoint(MAILOSAUR, "POST", "/api/devices/otp", mailosaur_devices.code_of_secret, (READ,), JSON),
    Endpoint(MAILOSAUR, "GET", "/api/devices/{id}/otp", mailosaur_devices.device_code, (READ,), JSON),
    Endpoint(MAILOSAUR, "DELETE", "/api/devices/{id}", mailosaur_devices.delete_device, (READ,), "", status=204),
)
ENDPOINTS = (
    GET("/api/v1/code", messages.next_code, (READ,), TEXT, WAIT, refuses=(NotFound,)),
    GET("/api/v1/cursor", messages.get_cursor, (READ, LEASE), TEXT),
    GET(
        "/api/v1/messages",
        messages.list_messages,
        (READ,),
        "MessagePage",
        LIST,
        refuses=(NotFound,),
    ),
    # Who may delete: an administrator's key alone, here and on the pages.
    DELETE("/api/v1/messages", messages.delete_messages, (ADMIN,), "", (THESE_LINES,), status=204, refuses=(NotFound,)),
    GET("/api/v1/messages/next", messages.next_message, (READ,), "Message", WAIT, refuses=(NotFound,)),
    GET("/api/v1/messages/{id}", messages.get_message, (READ,), "Message", FILTERS, refuses=(NotFound,)),
    GET("/api/v1/messages/{id}/reads", messages.list_reads, ORIGINS, "ReadList", FILTERS, refuses=(NotFound,)),
    GET("/api/v1/messages/{id}/calls", messages.list_calls, (READ,), "CallList", FILTERS, refuses=(NotFound,)),
    DELETE("/api/v1/messages/{id}", messages.delete_message, (ADMIN,), "", FILTERS, status=204, refuses=(NotFound,)),
    POST(
        "/api/v1/replies",
        replies.add_reply,
        (LEASE, SEND),
        "Replied",
        body="ReplyRequest",
        status=201,
        refuses=(NoApplication,),
    ),
    GET("/api/v1/weather", weather.list_rules, (READ, LEASE, SEND), "WeatherRules"),
    POST("/api/v1/weather", weather.add_rule, (LEASE, SEND), "WeatherRule", body="NewWeather", status=201),
    DELETE("/api/v1/weather/{id}", weather.remove_rule, (LEASE, SEND), "", status=204, refuses=(NotFound,)),
    GET("/api/v1/lines", state.list_lines, (READ, LEASE), "LineList"),
    GET("/api/v1/hosts", state.list_hosts, (READ,), "HostList"),
    POST("/api/v1/hosts", state.note_hosts, (SEND,), "", body="HostList", status=204),
    GET("/api/v1/smpp", state.smpp_server, (READ, LEASE, SEND), "SmppServer", refuses=(NotFound,)),
    GET("/api/v1/sinks", state.list_sinks, (ADMIN,), "SinkList"),
    GET("/api/v1/sources", sources.list_sources, (ADMIN,), "SourceList"),
    POST(
        "/api/v1/sources",
        sources.add_source,
        (ADMIN,),
        "SourceWithSecret",
        body="NewSource",
        status=201,
        refuses=(SourceExists,),
    ),
    DELETE("/api/v1/sources/{source}", sources.remove_source, (ADMIN,), "", status=204, refuses=(NotFound,)),
    POST(
        "/api/v1/sources/{source}/secrets",
        sources.add_source_secret,
        (ADMIN,),
        "SourceWithSecret",
        body="NewSecret",
        needs_body=False,
        status=201,
        refuses=(NotFound,),
    ),
    DELETE(
        "/api/v1/sources/{source}/secrets", sources.drop_source_secrets, (ADMIN,), "", status=204, refuses=(NotFound,)
    ),
    GET("/api/v1/leases", leases.list_leases, (READ, LEASE), "LeaseList"),
    POST(
        "/api/v1/leases",
        leases.acquire,
        (LEASE,),
        LEASED,
        body="LeaseRequest",
        status=201,
        needs_body=False,
        refuses=(UnknownLine, NoFreeLine),
    ),
    DELETE("/api/v1/leases", leases.give_up, (LEASE,), "", (TICKET,), status=204),
    GET("/api/v1/leases/{id}", leases.get_lease, (READ, LEASE), LEASED, refuses=(UnknownLease,)),
    DELETE("/api/v1/leases/{id}", leases.release, (LEASE,), "", status=204, refuses=(UnknownLease,)),
    GET("/api/v1/leases/{id}/messages", leases.list_lease_messages, (LEASE,), "MessagePage", refuses=(UnknownLease,)),
    POST(
        "/api/v1/leases/{id}/extend",
        leases.extend,
        (LEASE,),
        LEASED,
        body="Extension",
        needs_body=False,
        refuses=(UnknownLease, LeaseEnded),
    ),
    GET(
        "/api/v1/leases/{id}/next",
        leases.next_lease_message,
        (LEASE,),
        "Message",
        LEASE_WAIT,
        refuses=(NotFound, LeaseEnded),
    ),
    GET("/api/v1/leases/{id}/code", leases.next_lease_code, (LEASE,), TEXT, LEASE_WAIT, refuses=(NotFound, LeaseEnded)),
    GET(
        "/api/v1/events",
        messages.events,
        (READ,),
        EVENTS,
        (*FILTERS, AFTER),
        headers=(LAST_EVENT_ID,),
        refuses=(NotFound,),
    ),
    POST(
        "/api/v1/inbound/generic",
        generic.receive,
        (INGEST,),
        "Taken|[Taken]",
        body=f"GenericDelivery|[GenericDelivery:{generic.MAX_DELIVERIES}]",
        partly="Taken|NotTaken",
        refuses=(BadDelivery,),
    ),
    Endpoint(PROVIDER, "GET", "/api/v1/inbound/{source}", inbound.receive_signed, (), ""),
    Endpoint(PROVIDER, "POST", "/api/v1/inbound/{source}", inbound.receive_signed, (), ""),
    POST("/api/v1/explain", state.explain, (READ,), "Explained", body="Text"),
    GET(
        "/emulator/v1/projects/{project}/verificationCodes",
        firebase.list_codes,
        (READ,),
        "VerificationCodes",
        (LINE,),
        refuses=(NotFound,),
    ),
    GET("/json", original.json_of_2018, (READ,), "[DocumentOf2018]", (LINE,), refuses=(NotFound,)),
    GET("/healthz", state.health, (), "Alive"),
    GET("/readyz", state.readiness, (READ,), "Readiness", refuses=(NoModem,)),
    GET("/openapi.json", state.openapi, (READ,), JSON),
    *(Endpoint(SEND_API, method, send.PATH, send.handle, scopes, "") for method, scopes in SENDING.items()),
    *READERS,
    Endpoint(TOOLS, "POST", "/mcp", mcp.call_tools, (READ, LEASE), JSON),
    *PAGES,  # last: programs ask more often than people, and a path is looked for from the first row on
)
