"""Text from outside made fit for a terminal, as errors.escape_controls does for a sentence. No quoting here.

A terminal obeys control characters (ECMA-48, 5): texts, and names that others chose, must not have any.
"""


def blank_controls(text: str) -> str:
    """Return a text with a blank for each character that cannot be printed, line ends too."""
    return "".join(character if character.isprintable() else " " for character in text)
