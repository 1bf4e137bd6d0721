"""The inference process: jobs come in on standard input, previews go out on standard output.

Run as `python -m core.model.server`. A thread reads messages and puts them in a queue; the main
thread does the work and looks for a cancel between two denoising steps. The process writes no
file, so it may be killed at any time. It ends when its input does: a window that is gone
leaves no orphan.
"""

import os
import sys
import threading
import time
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from queue import SimpleQueue
from typing import IO, TYPE_CHECKING, Final

from core.errors import AnnotateError
from core.jobs import (
    SegmentJob,
    finished_message,
    loaded_message,
    read_segment,
    stepped_message,
)
from core.messages import Message, MessageReader, encode_message
from core.propagation import FrameProposal, PropagationJob
from core.proposals import Proposal
from core.video_jobs import frame_done_message, frame_stepped_message, read_propagate

if TYPE_CHECKING:
    from core.model.session import ModelSession

READ_BYTES: Final = 1 << 20
GRACE_S: Final = 5.0
NICENESS: Final = 5


@dataclass(eq=False)
class Inbox:
    """What the other side has asked for so far; filled by a thread, emptied by the main one.

    Attributes:
        messages: `load`, `segment` and `propagate` in their order; None after the last.
        cancelled: tickets that nobody waits for any more.
        is_closed: set when the other side has hung up or said `quit`.
    """

    messages: SimpleQueue[Message | None] = field(default_factory=SimpleQueue)
    cancelled: set[int] = field(default_factory=set)
    is_closed: threading.Event = field(default_factory=threading.Event)

    def read_from(self, descriptor: int) -> None:
        """Sort what comes in until the input ends, then see to it that the process ends too."""
        try:
            for message in _messages_from(descriptor):
                if message.kind == "quit":
                    break
                if message.kind == "cancel":
                    self.cancelled.add(message.fields["ticket"])
                else:
                    self.messages.put(message)
        except (OSError, ValueError, KeyError):
            traceback.print_exc()
        self.is_closed.set()
        self.messages.put(None)
        time.sleep(GRACE_S)  # the main thread ends within one step, unless a step hangs
        os._exit(1)


class Server:
    """Answers messages one after another with a model that is loaded between two of them."""

    def __init__(self, inbox: Inbox, outbox: IO[bytes], session: "ModelSession") -> None:
        self._inbox = inbox
        self._outbox = outbox
        self._session = session

    def serve(self) -> None:
        """Work until the other side hangs up."""
        self._send(Message("ready", asdict(self._session.device)))
        while (message := self._inbox.messages.get()) is not None:
            if self._inbox.is_closed.is_set():
                return
            if message.kind == "load":
                self._load(Path(message.fields["path"]), message.fields["device"])
            elif message.kind == "segment":
                self._segment(*read_segment(message))
            elif message.kind == "propagate":
                self._propagate(*read_propagate(message))
            else:
                sys.stderr.write(f"A message of the unknown kind '{message.kind}'.\n")

    def _load(self, path: Path, device: str) -> None:
        try:
            card = self._session.load(path, device)
        except Exception as error:  # noqa: BLE001 - the old model goes on, whatever is wrong
            sentence = _say(error, f"Loading the model {path}")
            self._send(Message("load_failed", {"sentence": sentence}))
        else:
            self._send(loaded_message(card, self._session.device))

    def _segment(self, ticket: int, job: SegmentJob) -> None:
        outcomes = self._session.segment(job)
        with self._failing(ticket, f"Segmenting {job.path.name}"):
            while not self._is_unwanted(ticket):
                outcome = next(outcomes)
                if isinstance(outcome, Proposal):
                    self._send(finished_message(ticket, outcome))
                    return
                if job.has_previews:
                    self._send(stepped_message(ticket, outcome))
            self._send(Message("cancelled", {"ticket": ticket}))

    def _propagate(self, ticket: int, job: PropagationJob) -> None:
        """Send each frame as soon as it is done; the others stay good whatever comes."""
        outcomes = self._session.propagate(job)
        with self._failing(ticket, f"Propagating through {job.frames[0].path.name}"):
            while not self._is_unwanted(ticket):
                outcome = next(outcomes, None)
                if outcome is None:
                    self._send(Message("propagated", {"ticket": ticket}))
                    return
                if isinstance(outcome, FrameProposal):
                    self._send(frame_done_message(ticket, outcome))
                else:
                    self._send(frame_stepped_message(ticket, outcome))
            self._send(Message("cancelled", {"ticket": ticket}))

    @contextmanager
    def _failing(self, ticket: int, doing: str) -> Iterator[None]:
        """Say why a job failed: one bad job must not end the process."""
        try:
            yield
        except BrokenPipeError:
            raise
        except Exception as error:  # noqa: BLE001 - whatever it is
            self._session.forget_image()  # memory may be what it lacked
            self._send(Message("failed", {"ticket": ticket, "sentence": _say(error, doing)}))

    def _is_unwanted(self, ticket: int) -> bool:
        return ticket in self._inbox.cancelled or self._inbox.is_closed.is_set()

    def _send(self, message: Message) -> None:
        self._outbox.write(encode_message(message))
        self._outbox.flush()


def main() -> int:
    """Serve on the process's own input and output until the input ends."""
    outbox = _take_output()
    inbox = Inbox()
    threading.Thread(target=inbox.read_from, args=(0,), daemon=True).start()
    if hasattr(os, "nice"):
        os.nice(NICENESS)
    # Not at the top: torch's import may print, and takes seconds in which the input can end.
    from core.model.session import ModelSession  # noqa: PLC0415

    try:
        Server(inbox, outbox, ModelSession()).serve()
    except BrokenPipeError:
        return 1
    return 0


def _take_output() -> IO[bytes]:
    """Keep standard output for messages alone; whatever a library prints goes to the log."""
    private = os.dup(1)
    os.dup2(2, 1)
    sys.stdout = sys.stderr
    return os.fdopen(private, "wb")


def _messages_from(descriptor: int) -> Iterator[Message]:
    reader = MessageReader()
    while data := os.read(descriptor, READ_BYTES):
        yield from reader.feed(data)


def _say(error: Exception, doing: str) -> str:
    """One sentence for the user; the details go to the log."""
    if isinstance(error, AnnotateError):
        return str(error)
    traceback.print_exception(error)
    if _is_out_of_memory(error):
        return f"{doing} needs more memory than is free; close other programs and try again."
    reason = str(error).strip().partition("\n")[0] or "no reason given"
    return f"{doing} failed ({type(error).__name__}: {reason}); the log has the details."


def _is_out_of_memory(error: Exception) -> bool:
    """Whether memory ran out: torch's class for GPUs, a plain RuntimeError for the CPU."""
    return (
        isinstance(error, MemoryError)
        or type(error).__name__ == "OutOfMemoryError"
        or "can't allocate memory" in str(error)
    )


if __name__ == "__main__":
    sys.exit(main())
