"""Run one function over many items in worker processes that may die.

A task is ``bytes -> bytes``. What is analysed is hostile: it may crash the interpreter, hang it or eat all memory. So
every item runs under limits in a worker process, and whatever happens there costs that item only: its result is then a
`Failure`. Results come in the order of the items and do not depend on the number of workers.

Workers are forked where that is safe (Linux, one thread), else started anew; either way nothing is imported through the
current folder, and nothing a task prints is seen.
"""

from __future__ import annotations

import gc
import multiprocessing
import os
import pickle
import signal
import subprocess
import sys
import threading
import time
from collections import deque
from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from multiprocessing.connection import Pipe, wait
from pathlib import Path
from typing import TypeAlias

import msgspec

from asyncfix.model import Value

if sys.platform == "win32":
    from multiprocessing.connection import PipeConnection as Connection
else:
    from multiprocessing.connection import Connection

Task: TypeAlias = Callable[[bytes], bytes]

# The largest number of items sent at once: enough that the pipe costs nothing, few enough that workers end together.
_CHUNK = 32
# With so much stack, that many Python frames raise RecursionError before the C stack overflows.
_STACK = 256 * 2**20
_DEPTH = 10_000
_OUT_OF_MEMORY = 97  # exit code


class Limits(Value, frozen=True):
    """What one item may cost: wall time in seconds, and memory in bytes beyond what the worker had at its start."""

    seconds: float = 20.0
    memory: int = 2 * 2**30


class Failure(Value, frozen=True):
    """No result, and why, in one line. ``bug``: the task raised, which is an internal error of ours."""

    reason: str
    bug: bool = False


# --------------------------------------------------------------------------------------------------------------- parent


def run(
    task: Task, items: Sequence[bytes], *, workers: int, limits: Limits
) -> Generator[tuple[int, bytes | Failure], None, None]:
    """Yield ``(index, result)`` for every item, in order; close the generator to end the workers early.

    Where workers are not forked, ``task`` crosses by pickle: a module-level function, or ``functools.partial`` of one.
    """
    workers = max(1, workers)
    size = max(1, min(_CHUNK, len(items) // (workers * 8)))
    chunks = deque(deque(range(start, min(start + size, len(items)))) for start in range(0, len(items), size))
    pool = _Pool(items, workers, limits, lambda: _launch(task, limits), chunks)
    done: dict[int, bytes | Failure] = {}
    try:
        for due in range(len(items)):
            while due not in done:
                pool.employ()
                done.update(pool.collect())
            yield due, done.pop(due)
    finally:
        with _signals_held():
            for worker in pool.crew:
                worker.end()


@dataclass(slots=True)
class _Worker:
    """One process as the parent sees it.

    ``end`` kills it and gives its exit code (negative: the signal); ``left`` are the items it still owes.
    """

    connection: Connection
    end: Callable[[], int]
    left: deque[int] = field(default_factory=lambda: deque[int]())
    deadline: float = 0.0
    answered: int = 0


@dataclass(slots=True)
class _Pool:
    """The workers of one run, and the chunks (indexes of items) that nobody has yet."""

    items: Sequence[bytes]
    size: int
    limits: Limits
    launch: Callable[[], _Worker]
    todo: deque[deque[int]]
    crew: list[_Worker] = field(default_factory=lambda: list[_Worker]())

    def employ(self) -> None:
        """Give every idle worker a chunk, after starting as many workers as there is work for."""
        idle = [worker for worker in self.crew if not worker.left]
        wanted = min(self.size - len(self.crew), len(self.todo) - len(idle))
        idle += [self._hire() for _ in range(wanted)]
        for worker in idle:
            if self.todo:
                self._give(worker, self.todo.popleft())

    def collect(self) -> dict[int, bytes | Failure]:
        """Wait until some worker answers, dies or is late, and return what that settles."""
        busy = [worker for worker in self.crew if worker.left]
        patience = max(0.0, min(worker.deadline for worker in busy) - time.monotonic())
        ready = wait([worker.connection for worker in busy], patience)
        settled: dict[int, bytes | Failure] = {}
        for worker in busy:
            if worker.connection in ready:
                settled.update(self._hear(worker))
            elif time.monotonic() >= worker.deadline:
                settled[worker.left.popleft()] = Failure(f"took longer than {self.limits.seconds:g} s")
                self._dismiss(worker)
        return settled

    def _hire(self) -> _Worker:
        with _signals_held():
            worker = self.launch()
            self.crew.append(worker)
        return worker

    def _give(self, worker: _Worker, chunk: deque[int]) -> None:
        worker.left = chunk
        worker.deadline = time.monotonic() + self.limits.seconds
        with suppress(OSError):  # a dead worker: the next wait meets the end of its pipe
            worker.connection.send_bytes(msgspec.msgpack.encode([self.items[index] for index in chunk]))

    def _hear(self, worker: _Worker) -> dict[int, bytes | Failure]:
        """Take the next result of a worker, or bury it if its pipe has ended.

        The item it died at is surely to blame only if it was the first of its life: else what came before may have left
        too little memory, and the item is tried once more in a worker of its own.
        """
        try:
            message = worker.connection.recv_bytes()
        except (EOFError, OSError):
            item = worker.left.popleft()
            code = self._dismiss(worker)
            if not worker.answered:
                return {item: Failure(_cause_of_death(code, self.limits))}
            self._give(self._hire(), deque([item]))
            return {}
        worker.answered += 1
        worker.deadline = time.monotonic() + self.limits.seconds
        return {worker.left.popleft(): msgspec.msgpack.decode(message, type=bytes | Failure)}

    def _dismiss(self, worker: _Worker) -> int:
        """End a worker; what it still owes goes back one by one, so that bad items do not wait for each other."""
        with _signals_held():
            self.crew.remove(worker)
            code = worker.end()
        self.todo.extendleft(deque([index]) for index in reversed(worker.left))
        return code


def _cause_of_death(code: int, limits: Limits) -> str:
    if code == _OUT_OF_MEMORY:
        return f"nested too deeply, or needed more than {limits.memory / 2**30:.3g} GB of memory"
    if sys.platform != "win32" and code == -signal.SIGALRM:
        return f"took longer than {limits.seconds:g} s"
    return f"the worker died ({f'signal {-code}' if code < 0 else f'exit code {code}'})"


# ------------------------------------------------------------------------------------------------------------- starting


def _launch(task: Task, limits: Limits) -> _Worker:
    start = _forked if _may_fork() else _started
    return start(task, limits)


def _may_fork() -> bool:
    """A fork copies one thread: a lock that another one held would stay locked for ever."""
    return sys.platform == "linux" and len(list(Path("/proc/self/task").iterdir())) == 1


def _forked(task: Task, limits: Limits) -> _Worker:
    ours, theirs = Pipe()
    process = multiprocessing.get_context("fork").Process(
        target=_forked_main, args=(ours, theirs, task, limits), daemon=True
    )
    process.start()
    theirs.close()

    def end() -> int:
        process.kill()
        process.join()
        ours.close()
        code = process.exitcode
        process.close()
        return code or 0

    return _Worker(ours, end)


def _forked_main(parents: Connection, connection: Connection, task: Task, limits: Limits) -> None:
    parents.close()  # else this process would keep its own pipe open after the parent's death
    gc.freeze()
    gc.enable()  # the parent may do without
    _work(connection, task, limits)


def _started(task: Task, limits: Limits) -> _Worker:
    """A new interpreter, not by `multiprocessing`: that would look for modules in the current folder first."""
    ours, theirs = Pipe()
    handle = theirs.fileno()
    boot = f"import sys; sys.path[:] = {_trusted_path()!r}; from asyncfix.workers import boot; boot({handle})"
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    process = _popen([sys.executable, "-P", "-c", boot], environment, handle)
    theirs.close()
    with suppress(OSError):  # dead already: the first wait meets the end of its pipe
        ours.send_bytes(pickle.dumps((task, limits)))

    def end() -> int:
        process.kill()
        ours.close()
        return process.wait()

    return _Worker(ours, end)


def _popen(command: list[str], environment: dict[str, str], handle: int) -> subprocess.Popen[bytes]:
    null = subprocess.DEVNULL
    if sys.platform == "win32":
        os.set_handle_inheritable(handle, True)
        inherit = subprocess.STARTUPINFO(lpAttributeList={"handle_list": [handle]})
        return subprocess.Popen(command, env=environment, stdin=null, stdout=null, stderr=null, startupinfo=inherit)
    return subprocess.Popen(command, env=environment, stdin=null, stdout=null, stderr=null, pass_fds=[handle])


def _trusted_path() -> list[str]:
    """The module search path without the current folder, unless asyncfix itself lives there."""
    here, home = Path.cwd(), Path(__file__).resolve().parent.parent
    folders = [folder for folder in sys.path if Path(folder).is_absolute()]
    return [folder for folder in folders if here == home or Path(folder).resolve() != here]


@contextmanager
def _signals_held() -> Generator[None]:
    """Hold Ctrl-C and SIGTERM back, so that no process is started or ended by halves."""
    if sys.platform == "win32":
        yield
        return
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT, signal.SIGTERM})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


# --------------------------------------------------------------------------------------------------------------- worker


def boot(handle: int) -> None:
    """Entry of a worker that was not forked; its pipe is the inherited ``handle``. For `_started` only."""
    connection = Connection(handle)
    task, limits = pickle.loads(connection.recv_bytes())
    _work(connection, task, limits)


def _work(connection: Connection, task: Task, limits: Limits) -> None:
    """Answer until the parent closes the pipe. A task that raises is reported as a bug and ends the worker."""
    _settle_in()
    threading.excepthook = lambda args: connection.send_bytes(_encode_bug(args))
    threading.stack_size(_STACK)
    sys.setrecursionlimit(_DEPTH)
    server = threading.Thread(target=_serve, args=(connection, task, limits))
    server.start()
    server.join()


def _settle_in() -> None:
    """Ctrl-C is the parent's business; silence, and no core files in somebody's project."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    null = os.open(os.devnull, os.O_WRONLY)
    os.dup2(null, 1)
    os.dup2(null, 2)
    if sys.platform != "win32":
        import resource

        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        signal.signal(signal.SIGALRM, signal.SIG_DFL)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGINT, signal.SIGTERM})


def _serve(connection: Connection, task: Task, limits: Limits) -> None:
    _limit_memory(limits.memory)
    while True:
        try:
            message = connection.recv_bytes()
        except (EOFError, OSError):
            return
        for item in msgspec.msgpack.decode(message, type=list[bytes]):
            _set_alarm(2 * limits.seconds + 1)
            result = _attempt(task, item)
            _set_alarm(0)
            connection.send_bytes(msgspec.msgpack.encode(result))


def _attempt(task: Task, item: bytes) -> bytes | Failure:
    try:
        return task(item)
    except RecursionError:
        return Failure("nested too deeply")
    except MemoryError:
        os._exit(_OUT_OF_MEMORY)  # what is left of this process is of no use; the item may be tried in a fresh one


def _set_alarm(seconds: float) -> None:
    """The end of a worker that hangs after its parent was killed. The limit itself is kept by the parent."""
    if sys.platform != "win32":
        signal.setitimer(signal.ITIMER_REAL, seconds)


def _limit_memory(memory: int) -> None:
    """Where the platform can: let allocations beyond what is in use now plus ``memory`` bytes fail."""
    if sys.platform == "linux":
        import resource

        in_use = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[5]) * resource.getpagesize()
        hard = resource.getrlimit(resource.RLIMIT_DATA)[1]
        wanted = in_use + memory
        resource.setrlimit(resource.RLIMIT_DATA, (wanted if hard < 0 else min(wanted, hard), hard))


def _encode_bug(args: threading.ExceptHookArgs) -> bytes:
    trace = args.exc_traceback
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    place = f" ({Path(trace.tb_frame.f_code.co_filename).name}:{trace.tb_lineno})" if trace is not None else ""
    text = " ".join(str(args.exc_value).split())
    return msgspec.msgpack.encode(Failure(f"internal error: {args.exc_type.__name__}: {text}{place}", bug=True))
