"""Run by ministack's own Python: ministack, whose clock of SQS a file moves.

The file that the variable CLOCK_FILE names holds the seconds by which SQS is ahead; so a test of a
visibility time-out need not wait for it.
"""

import os
import time
from pathlib import Path
from types import SimpleNamespace

from ministack.app import main
from ministack.services import sqs

CLOCK_FILE = Path(os.environ["CLOCK_FILE"])


def now() -> float:
    """Seconds since 1970, as SQS sees them."""
    return time.time() + float(CLOCK_FILE.read_text() or 0)


sqs.time = SimpleNamespace(time=now)
main()
