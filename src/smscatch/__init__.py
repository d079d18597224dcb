"""A real phone number for your tests: the names that a test project imports."""

from importlib.metadata import version

__version__ = version("smscatch")
