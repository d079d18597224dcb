"""Everything that speaks to a modem, or pretends to be one."""
