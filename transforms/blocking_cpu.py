"""# blocking-cpu

Finds calls that compute for long, in code that runs on the event loop: passwords that are hashed, keys that are derived,
data that are compressed and unpacked, tables and images that are loaded, changed and saved.

## What it does

Each such call is handed to a thread: `await asyncio.to_thread(bcrypt.checkpw, password, known)`. Those of pandas and Pillow are
found where the data are in memory, too. Archives (`zipfile`, `tarfile`, `shutil`) are files to `blocking-call`. Calls that
take long only if they are given a great deal (`hashlib.sha256`, `json.loads`) are not found, nor are those that only
tests run: nothing else waits for the event loop there.

## Why is this bad?

A password is hashed in a tenth of a second or more, by design; a large table or image takes seconds. All the while no other task
of the event loop moves.

## Example

```python
async def is_known(password: bytes, salt: bytes, known: bytes) -> bool:
    return hashlib.scrypt(password, salt=salt, n=16384, r=8, p=1) == known
```

Use instead:

```python
async def is_known(password: bytes, salt: bytes, known: bytes) -> bool:
    return await asyncio.to_thread(hashlib.scrypt, password, salt=salt, n=16384, r=8, p=1) == known
```

## Safety

As for `blocking-call`: SAFE if all that then runs in the thread is known, writes nothing that others can reach, and reads
nothing that other code changes. UNSAFE where a coroutine awaited nothing, or only sleeps, locks and queues of asyncio, and then
writes or prints what others see: tasks did that in the order in which they were started, and may come to it in another one
now. UNSAFE where data are compressed or unpacked (`gzip`, `zlib`, `bz2`, `lzma`): of little data a thread costs more than the
call.

A thread helps as far as the library lets go of the GIL: hashlib, bcrypt, argon2-cffi, PyNaCl, cryptography, polars and
compression do for almost all of the time, Pillow mostly (not while it writes a JPEG), pandas in part, passlib by scheme
(`sha512_crypt` does not). The note of a change says so; where that matters, a `ProcessPoolExecutor` is the way out, if
arguments and results can be pickled.
"""

from __future__ import annotations

from typing import ClassVar

from msgspec.structs import replace

from asyncfix.model import Site, Unproven
from asyncfix.transform import Look

from .blocking_call import BlockingCall

HELD = ("pandas.", "passlib.context.", "passlib.hash.sha256_crypt.", "passlib.hash.sha512_crypt.")
SIZED = ("gzip.", "zlib.", "bz2.", "lzma.decompress")
LITTLE = "what it is given may be little: a thread costs as much as some 10 kB take"
KEPT = "may hold the GIL for much of the time: in a process pool it would hold up nobody"


class BlockingCpu(BlockingCall):
    """Long computations to `await asyncio.to_thread(...)`."""

    name = "blocking-cpu"
    flows: ClassVar[frozenset[str]] = frozenset({"computation"})
    in_tests: ClassVar[bool] = False

    def examine(self, look: Look) -> Site:
        site = super().examine(look)
        if look.api.call.startswith(SIZED):
            forms = (replace(form, safe_if=(*form.safe_if, Unproven(LITTLE))) for form in site.forms)
            return replace(site, forms=tuple(forms))
        if not look.api.call.startswith(HELD):
            return site
        return replace(site, forms=tuple(replace(form, note=f"{look.api.call} {KEPT}") for form in site.forms))
