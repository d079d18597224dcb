"""From the box to the first text: which modems there are, which files they need, and putting these in their places."""
