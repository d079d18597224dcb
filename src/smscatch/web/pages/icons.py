"""The icon with the number of unread messages, and what a browser needs to install the page like a program."""

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from smscatch.errors import NotFound
from smscatch.web.endpoint import render, texts_of

MOST = 99
ICONS = (("192", "any"), ("512", "any"), ("512", "maskable"))


async def unread_icon(request: Request) -> Response:
    """The icon with a number on it, for the browser's tab."""
    count = request.path_params["count"]
    if not (count.isascii() and count.isdecimal() and len(count) < 3):
        raise NotFound(f"There are icons for 0 to {MOST}.")
    svg = render(request, "icon.svg", count=int(count))
    return Response(svg, media_type="image/svg+xml", headers={"cache-control": "max-age=86400"})


async def manifest(request: Request) -> Response:
    """What a browser needs to install the page (W3C Web Application Manifest)."""
    icons = [
        {
            "src": f"/static/icon-{'maskable' if purpose == 'maskable' else size}.png",
            "sizes": f"{size}x{size}",
            "type": "image/png",
            "purpose": purpose,
        }
        for size, purpose in ICONS
    ]
    content = {
        "name": "smscatch",
        "short_name": "smscatch",
        "description": texts_of(request)("manifest.description"),
        "lang": texts_of(request).language,
        "id": "/",
        "start_url": "/",
        "scope": "/",
        "display": "standalone",
        "theme_color": "#0d8471",
        "background_color": "#f6f7f7",
        "icons": icons,
    }
    return JSONResponse(content, media_type="application/manifest+json")
