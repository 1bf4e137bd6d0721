"""The process that measures a new model beside the current one."""

import json
from pathlib import Path
from typing import Final

from PySide6.QtCore import QObject, QProcess, QProcessEnvironment, Signal, Slot

from app.child_process import child_environment, python_command
from core.bundled import find_model
from core.errors import AnnotateError
from core.gate_report import REPORT_NAME, GateReport, read_report
from core.retraining import NICENESS, RetrainPlan
from core.training_snapshot import HOLD_OUT_NAME

STOP_MS: Final = 2000
FAILED: Final = "The models could not be measured: {reason}"


class GateRun(QObject):
    """Reads the report of a run, or has it made.

    Attributes:
        report: None until it is there.
        n_done: images that are measured so far.
        failure: why there is no report; empty if there may be one.

    Signals:
        changed(): any of them.
    """

    changed = Signal()

    def __init__(self, folder: Path, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._path = folder / REPORT_NAME
        self._hold_out = folder / HOLD_OUT_NAME
        self._process: QProcess | None = None
        self.report: GateReport | None = None
        self.n_done = 0
        self.failure = ""

    def begin(self, plan: RetrainPlan, candidate: Path) -> None:
        """Have the report, now or when the models are measured."""
        self.failure, self.n_done = "", 0
        if self._path.exists():
            self._read()
            return
        process = QProcess(self)
        environment = QProcessEnvironment()
        for name, value in child_environment().items():
            environment.insert(name, value)
        environment.insert("OMP_WAIT_POLICY", "passive")
        environment.insert("GOMP_SPINCOUNT", "0")
        process.setProcessEnvironment(environment)
        files = (find_model(plan.base), candidate, self._hold_out)
        program, *arguments = python_command("training", "compare", *map(str, files))
        arguments += ["--out", str(self._path), "--device", plan.device]
        arguments += ["--threads", str(plan.threads), "--nice", str(NICENESS)]
        arguments += plan.renaming
        process.readyReadStandardOutput.connect(self._on_output)
        process.finished.connect(self._on_ended)
        process.errorOccurred.connect(self._on_error)
        self._process = process
        process.start(program, arguments)

    def stop(self) -> None:
        """Measure no more; nothing is lost but the time."""
        process, self._process = self._process, None
        if process is not None:
            process.blockSignals(True)
            process.kill()
            process.waitForFinished(STOP_MS)
            process.deleteLater()

    @Slot()
    def _on_output(self) -> None:
        if self._process is None:
            return
        lines = bytes(self._process.readAllStandardOutput().data()).splitlines()
        if lines:
            self.n_done = json.loads(lines[-1])["done"]
            self.changed.emit()

    @Slot(QProcess.ProcessError)
    def _on_error(self, error: QProcess.ProcessError) -> None:
        if error == QProcess.ProcessError.FailedToStart and self._process is not None:
            self._fail(self._process.errorString())

    @Slot(int, QProcess.ExitStatus)
    def _on_ended(self, code: int, status: QProcess.ExitStatus) -> None:
        if self._process is None:
            return
        words = bytes(self._process.readAllStandardError().data()).decode(errors="replace")
        is_done = code == 0 and status == QProcess.ExitStatus.NormalExit
        if is_done:
            self._process.deleteLater()
            self._process = None
            self._read()
        else:
            self._fail((words.strip().splitlines() or [f"code {code}."])[-1])

    def _read(self) -> None:
        try:
            self.report = read_report(self._path)
        except AnnotateError as error:
            self.failure = str(error)
        self.changed.emit()

    def _fail(self, reason: str) -> None:
        if self._process is not None:
            self._process.deleteLater()
            self._process = None
        self.failure = FAILED.format(reason=reason)
        self.changed.emit()
