"""# blocking-metadata

Finds calls about the names and metadata of files, in code that runs on the event loop.
Off by default.

## What it does

Each such call (`os.path.exists`, `stat`, `mkdir`, ...) is handed to a thread:
`await asyncio.to_thread(os.path.exists, path)`.

## Why is this bad?

On a network file system such a call can take as long as a network round trip. On a local disk it takes microseconds, less
than handing it to a thread: that is why this rule must be asked for (`--extend-select blocking-metadata`).

## Example

```python
async def known(path: str) -> bool:
    return os.path.exists(path)
```

Use instead:

```python
async def known(path: str) -> bool:
    return await asyncio.to_thread(os.path.exists, path)
```

## Safety

As for `blocking-call`. A check and the act that follows it are no longer one step for other tasks.
"""

from __future__ import annotations

from typing import ClassVar

from .blocking_call import BlockingCall


class BlockingMetadata(BlockingCall):
    """File metadata to `await asyncio.to_thread(...)`."""

    name = "blocking-metadata"
    default = False
    flows: ClassVar[frozenset[str]] = frozenset({"metadata"})
