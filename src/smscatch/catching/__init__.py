"""Catching what a program sends to SMS providers, without a change of its code: by its environment, a proxy and a CA.

The server knows nothing of this room; what answers in a provider's place is in web/compat.
"""
