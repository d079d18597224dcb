"""Tests of what speaks to a modem, or pretends to be one."""
