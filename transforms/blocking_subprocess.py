"""# blocking-subprocess

Finds calls that start a child process and wait for it, in code that runs on the event loop.

## What it does

`subprocess.run(...)` and its kin become `await asyncio.to_thread(subprocess.run, ...)`: the same arguments, the same
`CompletedProcess`, the same exceptions and time-outs.

## Why is this bad?

The event loop stands still until the child process has ended.

## Example

```python
async def revision() -> str:
    return subprocess.run(["git", "rev-parse", "HEAD"], capture_output=True, text=True).stdout
```

Use instead:

```python
async def revision() -> str:
    return (await asyncio.to_thread(subprocess.run, ["git", "rev-parse", "HEAD"], capture_output=True, text=True)).stdout
```

## Safety

As for `blocking-call`. `asyncio.create_subprocess_exec` is not used: it differs in arguments, time-outs and results.
"""

from __future__ import annotations

from typing import ClassVar

from .blocking_call import BlockingCall


class BlockingSubprocess(BlockingCall):
    """Child processes to `await asyncio.to_thread(...)`."""

    name = "blocking-subprocess"
    flows: ClassVar[frozenset[str]] = frozenset({"process"})
