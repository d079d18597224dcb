#!/usr/lib/smscatch/bin/python3 -I
"""The command `smscatch` of the Debian package."""

import sys

from smscatch.cli import main

sys.exit(main())
