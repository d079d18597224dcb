"""The tests of smscatch; run them with pytest."""
