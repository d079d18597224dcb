"""`python -m smscatch.cli` is `smscatch`."""

import sys

from smscatch.cli import main

sys.exit(main())
