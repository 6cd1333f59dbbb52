"""`python -m clampctl.cli` is `clampctl`."""

import sys

from clampctl.cli import main

sys.exit(main())
