"""The inference process as the window sees it: submit a job, cancel it, survive its death."""

import logging
import sys
from collections import deque
from collections.abc import Callable
from pathlib import Path
from typing import Final

from PySide6.QtCore import (
    QObject,
    QProcess,
    QProcessEnvironment,
    QThread,
    Signal,
    Slot,
)

from app.child_process import child_environment, python_command
from core.jobs import (
    Device,
    SegmentJob,
    load_message,
    read_finished,
    read_loaded,
    read_stepped,
    segment_message,
)
from core.messages import Message, MessageReader, encode_message
from core.propagation import PropagationJob
from core.video_jobs import propagate_message, read_frame_done, read_frame_stepped

SERVER: Final = "core.model.server"
STOP_MS: Final = 2000
MAX_DEATHS: Final = 3
ASK_DOCTOR: Final = "'bitbrush doctor' says what is missing. Labelling by hand goes on."

_log = logging.getLogger(__name__)


class Segmenter(QObject):
    """Keeps one inference process alive and turns its messages into signals.

    A job is known by the ticket that `submit` returns. Each ticket ends in exactly one of
    `finished`, `propagated`, `cancelled` and `failed`, also when the process dies.

    Attributes:
        device: what the model runs on, or None while the process starts.

    Signals:
        ready(Device): the process is up and says what it runs on.
        loaded(ModelCard): the model of the last `load` is in use.
        load_failed(str): why it is not; the model before it goes on.
        stepped(int, Preview): the map after one more step.
        finished(int, Proposal): the job's map.
        frame_stepped(int, FrameStep), frame_done(int, FrameProposal): of a run through a clip.
        propagated(int): such a run is at its end; in place of `finished`.
        cancelled(int): the job was stopped.
        failed(int, str): the job could not be done, and why.
        restarted(str): the process had died and is being started again.
    """

    ready = Signal(object)
    loaded = Signal(object)
    load_failed = Signal(object)
    stepped = Signal(int, object)
    finished = Signal(int, object)
    frame_stepped = Signal(int, object)
    frame_done = Signal(int, object)
    propagated = Signal(int)
    cancelled = Signal(int)
    failed = Signal(int, object)
    restarted = Signal(object)

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.device: Device | None = None
        self._process: QProcess | None = None
        self._reader = MessageReader()
        self._model: tuple[Path, str] | None = None  # file and device of the model in use
        self._loads: deque[tuple[Path, str]] = deque()  # asked for and not answered
        self._last_ticket = 0
        self._open: set[int] = set()  # tickets without an end
        self._unwanted: set[int] = set()  # those of them that were cancelled
        self._deaths = 0  # since the process last did something useful
        self._last_words = ""
        self._answers: dict[str, Callable[[Message], None]] = {
            "ready": self._on_ready,
            "loaded": self._on_loaded,
            "load_failed": self._on_load_failed,
            "stepped": self._on_stepped,
            "finished": self._on_finished,
            "frame_stepped": self._on_frame_stepped,
            "frame_done": self._on_frame_done,
            "propagated": self._on_propagated,
            "cancelled": self._on_cancelled,
            "failed": self._on_failed,
        }

    @property
    def process_id(self) -> int:
        """Of the inference process; 0 when there is none."""
        return self._process.processId() if self._process else 0

    @property
    def model_path(self) -> Path | None:
        """The file of the model in use, or of the one that the next process begins with."""
        return self._model[0] if self._model else None

    def start(self) -> None:
        """Start the process unless it runs; `ready` follows when torch is loaded."""
        if self._process is not None:
            return
        process = QProcess(self)
        process.setProcessEnvironment(_environment())
        program, *arguments = python_command(SERVER)
        process.setProgram(program)
        process.setArguments(arguments)
        process.readyReadStandardOutput.connect(self._on_output)
        process.readyReadStandardError.connect(self._on_error_text)
        process.errorOccurred.connect(self._on_error)
        process.finished.connect(self._on_ended)
        self._process, self._reader, self._last_words = process, MessageReader(), ""
        process.start()
        if self._model is not None:
            self._loads.appendleft(self._model)
            self._model = None
        for path, device in self._loads:
            self._send(load_message(path, device))

    def load(self, path: Path, device: str = "auto") -> None:
        """Load a model between two jobs; `loaded` or `load_failed` follows."""
        self._loads.append((path, device))
        if self._process is None:
            self.start()
        else:
            self._send(load_message(path, device))

    def unload(self) -> None:
        """Give up the model and its memory: a fresh process takes the place of this one."""
        self._kill()
        self._model = None
        self._loads.clear()
        self._end_all("The model was given up.")
        self.start()

    def submit(self, job: SegmentJob | PropagationJob) -> int:
        """Queue a job; the number returned is its ticket in every signal about it."""
        self._last_ticket += 1
        self.start()
        self._open.add(self._last_ticket)
        if isinstance(job, SegmentJob):
            self._send(segment_message(self._last_ticket, job))
        else:
            self._send(propagate_message(self._last_ticket, job))
        return self._last_ticket

    def cancel(self, ticket: int) -> None:
        """Stop a job within one denoising step; nothing happens when it has ended."""
        if ticket in self._open:
            self._unwanted.add(ticket)
            self._send(Message("cancel", {"ticket": ticket}))

    def stop(self) -> None:
        """End the process now: it keeps nothing that could be lost."""
        self._kill()
        self._end_all("The window is being closed.")

    def _kill(self) -> None:
        process, self._process = self._process, None
        self.device = None
        if process is not None:
            process.blockSignals(True)
            process.kill()
            process.waitForFinished(STOP_MS)
            process.deleteLater()

    def _send(self, message: Message) -> None:
        if self._process is not None:
            self._process.write(encode_message(message))

    @Slot()
    def _on_output(self) -> None:
        if self._process is None:
            return
        data = bytes(self._process.readAllStandardOutput().data())
        try:
            for message in self._reader.feed(data):
                self._answers[message.kind](message)
        except (KeyError, TypeError, ValueError):
            _log.exception("the inference process sent something that cannot be read")
            self._process.kill()

    @Slot()
    def _on_error_text(self) -> None:
        if self._process is None:
            return
        text = bytes(self._process.readAllStandardError().data()).decode(errors="replace")
        for line in filter(str.strip, text.splitlines()):
            self._last_words = line.strip()
            _log.info("inference: %s", line)

    @Slot(QProcess.ProcessError)
    def _on_error(self, error: QProcess.ProcessError) -> None:
        if error == QProcess.ProcessError.FailedToStart:  # no `finished` follows this one
            self._process = None
            self._give_up(f"{sys.executable} cannot be run")

    @Slot(int, QProcess.ExitStatus)
    def _on_ended(self, code: int, status: QProcess.ExitStatus) -> None:
        if self._process is not None:
            self._process.deleteLater()
        self._process, self.device = None, None
        self._deaths += 1
        how = f"signal {code}" if status == QProcess.ExitStatus.CrashExit else f"code {code}"
        _log.error("the inference process ended (%s): %s", how, self._last_words)
        if self._deaths >= MAX_DEATHS:
            self._give_up(self._last_words or how)
            return
        self._end_all(
            f"The inference process ended ({how}) before the map was done; run again."
        )
        self.start()
        self.restarted.emit(
            f"The inference process ended unexpectedly ({how}) and was started again; "
            "all edits are safe."
        )

    def _give_up(self, reason: str) -> None:
        """Stop restarting; the next `submit` or `load` tries once more."""
        n_loads = len(self._loads)
        self._model = next(iter(self._loads), self._model)
        self._loads.clear()
        self._deaths = MAX_DEATHS - 1
        sentence = f"The inference process ends as soon as it starts ({reason}); {ASK_DOCTOR}"
        self._end_all(sentence)
        for _ in range(n_loads):
            self.load_failed.emit(sentence)
        self.restarted.emit(sentence)

    def _end_all(self, sentence: str) -> None:
        """Give every open ticket its end."""
        tickets = sorted(self._open)
        self._open.clear()
        self._unwanted.clear()
        for ticket in tickets:
            self.failed.emit(ticket, sentence)

    def _end(self, ticket: int) -> bool:
        """Close a ticket; False when it was closed before."""
        is_open = ticket in self._open
        self._open.discard(ticket)
        return is_open

    def _on_ready(self, message: Message) -> None:
        self.device = Device(**message.fields)
        if not self._loads:
            self._deaths = 0
        self.ready.emit(self.device)

    def _on_loaded(self, message: Message) -> None:
        card, self.device = read_loaded(message)
        self._model = self._loads.popleft()
        self._deaths = 0
        self.loaded.emit(card)

    def _on_load_failed(self, message: Message) -> None:
        self._loads.popleft()
        self.load_failed.emit(message.fields["sentence"])

    def _on_stepped(self, message: Message) -> None:
        ticket = message.fields["ticket"]
        if ticket in self._open and ticket not in self._unwanted:
            self.stepped.emit(ticket, read_stepped(message))

    def _on_finished(self, message: Message) -> None:
        ticket = message.fields["ticket"]
        if ticket in self._unwanted:  # cancelled while the last map was under way
            self._on_cancelled(message)
        elif self._end(ticket):
            self.finished.emit(ticket, read_finished(message))

    def _on_frame_stepped(self, message: Message) -> None:
        ticket = message.fields["ticket"]
        if ticket in self._open and ticket not in self._unwanted:
            self.frame_stepped.emit(ticket, read_frame_stepped(message))

    def _on_frame_done(self, message: Message) -> None:
        ticket = message.fields["ticket"]
        if ticket in self._open and ticket not in self._unwanted:
            self.frame_done.emit(ticket, read_frame_done(message))

    def _on_propagated(self, message: Message) -> None:
        ticket = message.fields["ticket"]
        if ticket in self._unwanted:  # cancelled while the last frame was under way
            self._on_cancelled(message)
        elif self._end(ticket):
            self.propagated.emit(ticket)

    def _on_cancelled(self, message: Message) -> None:
        ticket = message.fields["ticket"]
        self._unwanted.discard(ticket)
        if self._end(ticket):
            self.cancelled.emit(ticket)

    def _on_failed(self, message: Message) -> None:
        ticket = message.fields["ticket"]
        self._unwanted.discard(ticket)
        if self._end(ticket):
            self.failed.emit(ticket, message.fields["sentence"])


def _environment() -> QProcessEnvironment:
    """Threads that wait without spinning, and leave the window a core."""
    environment = QProcessEnvironment()
    for name, value in child_environment().items():
        environment.insert(name, value)
    environment.insert("OMP_WAIT_POLICY", "passive")
    environment.insert("GOMP_SPINCOUNT", "0")
    environment.insert("OMP_NUM_THREADS", str(max(1, QThread.idealThreadCount() - 1)))
    return environment
