"""The pages' own files: scripts, styles and icons, at addresses that a browser may cache for ever.

The address holds a hash of all files. So a page of the same version costs one request instead of one a file.
"""

import hashlib
from functools import cache
from pathlib import Path

from starlette.middleware.gzip import GZipMiddleware
from starlette.responses import Response
from starlette.routing import Mount
from starlette.staticfiles import StaticFiles
from starlette.types import Scope

FOLDER = Path(__file__).parent / "static"
FOR_EVER = "public, max-age=31536000, immutable"  # RFC 8246; a year is what caches take for ever (RFC 9111, 1.2.2)


class _Files(StaticFiles):
    async def get_response(self, path: str, scope: Scope) -> Response:
        response = await super().get_response(path, scope)
        # A page of another version, from a server behind the same address, gets what we have, for this once.
        if scope["path_params"].get("version") == version():
            response.headers["cache-control"] = FOR_EVER
            for validator in ("etag", "last-modified"):  # nobody asks again
                del response.headers[validator]
        return response


def mounts() -> list[Mount]:
    """Return the routes of the files, with a version in the address and without."""
    # Pages are not compressed: they hold secrets beside what the address asked for, which their length would tell
    # (BREACH).
    files = GZipMiddleware(_Files(directory=FOLDER))
    return [Mount("/static/{version}", files), Mount("/static", files)]


@cache
def version() -> str:
    """Return what stands for the content of all files: 16 hexadecimal digits."""
    content = hashlib.sha256()
    for path in sorted(FOLDER.iterdir()):
        content.update(path.read_bytes())
    return content.hexdigest()[:16]


def address() -> str:
    """Return the path under which the files of this version are."""
    return f"/static/{version()}"
