"""`python -m bluelamp.verify PACKAGE --key VKEY`: with nothing installed but this package and `cryptography`."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from bluelamp.verify.command import run


def main() -> int:
    """Returns the exit code: 0 good, 1 evidence of tampering or damage, 2 cannot tell (or a wrong command)."""
    parser = argparse.ArgumentParser(prog="python -m bluelamp.verify", description="Verify a package, offline.")
    parser.add_argument("package", type=Path, metavar="PACKAGE", help="the ZIP file")
    parser.add_argument(
        "--key", action="append", default=[], metavar="VKEY", help="key of the log that the force publishes"
    )
    parser.add_argument("--witness", action="append", default=[], metavar="VKEY", help="key of a witness")
    parser.add_argument(
        "--timestamp-certificate",
        action="append",
        default=[],
        type=Path,
        metavar="FILE",
        help="certificate (PEM) of a time-stamping authority",
    )
    parser.add_argument("--json", action="store_true", help="print the result as JSON")
    chosen = parser.parse_args()
    return run(
        chosen.package,
        chosen.key,
        chosen.witness,
        as_json=chosen.json,
        authorities=chosen.timestamp_certificate,
    )


if __name__ == "__main__":
    sys.exit(main())
