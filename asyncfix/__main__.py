"""``python -m asyncfix``: the same command, without the modules that lie in the current folder."""

import os
import sys

if __name__ == "__main__":
    # Python puts the current folder first, where the analysed project may hold a `typer.py`. So this stands before every
    # import of anything that is not loaded yet.
    sys.path[:] = [entry for entry in sys.path if entry and os.path.realpath(entry) != os.path.realpath(os.curdir)]

    from asyncfix.cli import main

    main()
