"""`python -m soapsvc`."""

import sys

from soapsvc.cli import main

sys.exit(main())
