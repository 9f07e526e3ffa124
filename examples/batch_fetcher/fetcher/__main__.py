"""``python -m fetcher URL FOLDER``: download everything; ``--verify FOLDER``: compare the checksums again."""

import argparse
import asyncio
from collections.abc import Sequence
from pathlib import Path

from fetcher.batch import Batch, download_all
from fetcher.store import find_damaged


def main(argv: Sequence[str] | None = None) -> int:
    """Exit code 0 if all went well, 1 if --verify found damage."""
    parser = argparse.ArgumentParser(prog="fetcher", description="Download a catalogue of photos.")
    parser.add_argument("source", help="URL of the server; with --verify the folder")
    parser.add_argument("folder", type=Path, nargs="?", default=Path("out"))
    parser.add_argument("--workers", type=int, default=8)
    parser.add_argument("--delay", type=float, default=0.01, metavar="SECONDS", help="pause before each photo")
    parser.add_argument("--verify", action="store_true")
    options = parser.parse_args(argv)
    if options.verify:
        return 1 if find_damaged(Path(options.source)) else 0
    asyncio.run(download_all(Batch(options.source, options.folder, options.workers, options.delay)))
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
