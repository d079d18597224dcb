"""The pages for people, one noun a module. No JSON is made here."""

from smscatch.web.pages import docs, errors, icons, inbox, keys, lines, login, message, outlook, sources, weather

__all__ = ["docs", "errors", "icons", "inbox", "keys", "lines", "login", "message", "outlook", "sources", "weather"]
