"""The HTTP side: API, live page, keys."""
