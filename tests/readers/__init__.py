"""Existing suites, whose clients read our messages."""
