"""Plain HTTP: requests to servers of the tests, which speak no TLS.

A client of httpx2 loads the certificates of all authorities first, which takes a hundred times what a request takes.
"""

import ssl
from functools import partial

import httpx2

from tests.patience import PATIENCE_SECONDS

NO_AUTHORITIES = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)  # for a client's `verify`

get = partial(httpx2.get, verify=NO_AUTHORITIES, trust_env=False, timeout=PATIENCE_SECONDS)
post = partial(httpx2.post, verify=NO_AUTHORITIES, trust_env=False, timeout=PATIENCE_SECONDS)
request = partial(httpx2.request, verify=NO_AUTHORITIES, trust_env=False, timeout=PATIENCE_SECONDS)
stream = partial(httpx2.stream, verify=NO_AUTHORITIES, trust_env=False, timeout=PATIENCE_SECONDS)
