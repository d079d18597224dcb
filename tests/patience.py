"""How long a test waits for what must come. Only a hang takes longer, also beside other work on the machine."""

PATIENCE_SECONDS = 300.0
PATIENCE_MS = 1000 * PATIENCE_SECONDS
