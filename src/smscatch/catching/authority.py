"""A certificate authority (CA) of one run, and what it signs: a certificate for each provider's host."""

import functools
import ssl

import trustme

MOST_HOSTS = 256  # of which certificates are kept


class Authority:
    """A CA that lives as long as this object: its key is in memory alone, and no store of the user's knows it."""

    def __init__(self) -> None:
        self._ca = trustme.CA(organization_name="smscatch", organization_unit_name="smscatch catch, this run only")
        self.context = functools.lru_cache(MOST_HOSTS)(self._make_context)

    @property
    def certificate(self) -> bytes:
        """The CA's own certificate, PEM: what an application must trust."""
        return bytes(self._ca.cert_pem.bytes())

    def _make_context(self, host: str) -> ssl.SSLContext:
        """Return what a TLS server needs to be `host`; the same one for the same host."""
        context = new_context()
        # Python reads a key from a file only: trustme writes it with the mode 0600 and removes it at once.
        self._ca.issue_cert(host, common_name=host[:64]).configure_cert(context)
        return context


def new_context() -> ssl.SSLContext:
    """Return a TLS server's context without a certificate; HTTP/1.1 is all that is spoken (ALPN, RFC 7301)."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.set_alpn_protocols(["http/1.1"])
    return context
