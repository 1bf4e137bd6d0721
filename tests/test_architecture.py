"""The rules of docs/architecture.md, read from the syntax trees of the source files."""

import ast
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

PACKAGES = ("app", "core", "training")
FOLDERS = (*PACKAGES, "assets", "benchmarks", "tests")
MAX_LINES = 400
QT = ("PySide6", "shiboken6", "PyQt5", "PyQt6", "PySide2", "qtpy")
TORCH = ("torch", "torchvision", "timm")
PICKLES = ("pickle", "_pickle", "cPickle", "cloudpickle", "dill", "joblib", "marshal", "shelve")
PICKLING = ("torch.load", "torch.save", "torch.package", *PICKLES)
VAGUE_NAMES = {"utils", "util", "helpers", "helper", "common", "base", "manager", "misc"}

# package or module: what it may never import; the longest match on the left counts.
FORBIDDEN = {
    "app": ("core.model", "training", *TORCH),
    "core": ("app", "training", "core.model", *QT, *TORCH),
    "core.model": ("app", "training", *QT),
    "training": ("app", *QT),
}
# May import core.model inside its functions and for types: some commands need the model.
COMMAND_LINE = ("core.__main__", "core.segment_command", "core.propagate_command")

# A program that opens a window and says what it has imported.
SHOW_WINDOW = """
import importlib, pkgutil, sys
from pathlib import Path

import app
from PySide6.QtWidgets import QApplication
from app.window import MainWindow
from core.panoptic import Category
from core.store import AnnotationStore

for module in pkgutil.iter_modules(app.__path__, "app."):
    importlib.import_module(module.name)
application = QApplication([])
cell = Category(1, "cell", is_thing=True, color=(220, 20, 60))
with AnnotationStore.create(Path(sys.argv[1]), [cell]) as store:
    window = MainWindow(store)
    window.show()
    application.processEvents()
    heavy = {"torch", "core.model", "training"} & sys.modules.keys()
    print("shown," if window.isVisible() else "hidden,", heavy or "torch-free")
    window.close()
"""


@dataclass(frozen=True)
class Module:
    """One source file."""

    name: str  # dotted; of a package: the package's
    path: Path
    tree: ast.Module
    n_lines: int

    @property
    def is_package(self) -> bool:
        return self.path.name == "__init__.py"


@dataclass(frozen=True)
class Import:
    """One imported name: `from core import coco` imports core.coco."""

    name: str
    line: int
    is_lazy: bool  # not run when the module is imported


def read_modules(root: Path, folders: tuple[str, ...]) -> list[Module]:
    """Every source file below some folders of the repository."""
    modules = []
    for path in sorted(path for folder in folders for path in (root / folder).rglob("*.py")):
        parts = path.relative_to(root).with_suffix("").parts
        text = path.read_text(encoding="utf-8")
        name = ".".join(parts).removesuffix(".__init__")
        modules.append(Module(name, path, ast.parse(text), len(text.splitlines())))
    return modules


def imports_of(module: Module) -> Iterator[Import]:
    """All imports of a file, those inside functions and by `import_module` included."""
    yield from _imports_below(module.tree, module, is_lazy=False)


def _imports_below(node: ast.AST, module: Module, *, is_lazy: bool) -> Iterator[Import]:
    for child in ast.iter_child_nodes(node):
        for name in _imported_names(child, module):
            yield Import(name, child.lineno, is_lazy)
        yield from _imports_below(child, module, is_lazy=is_lazy or _runs_later(child))


def _runs_later(node: ast.AST) -> bool:
    """Whether what is below a node does not run when its module is imported."""
    match node:
        case ast.FunctionDef() | ast.AsyncFunctionDef() | ast.Lambda():
            return True
        case ast.If(ast.Name("TYPE_CHECKING"), _, []):
            return True
    return False


def _imported_names(node: ast.AST, module: Module) -> list[str]:
    match node:
        case ast.Import(names):
            return [alias.name for alias in names]
        case ast.ImportFrom(source, names, level):
            package = module.name.split(".") + ([""] if module.is_package else [])
            parts = package[:-level] if level else []
            return [".".join([*parts, *filter(None, [source]), alias.name]) for alias in names]
        case ast.Call(
            ast.Name("import_module" | "__import__") | ast.Attribute(attr="import_module"),
            [ast.Constant(str(name)), *_],
        ):
            return [name]
    return []


def is_within(name: str, owner: str) -> bool:
    """Whether a dotted name is a module or something in it."""
    return name == owner or name.startswith(f"{owner}.")


@pytest.fixture(scope="module")
def sources(repository) -> list[Module]:
    """The files of the three packages."""
    modules = read_modules(repository, PACKAGES)
    assert set(FORBIDDEN) <= {module.name for module in modules}
    return modules


@pytest.fixture(scope="module")
def all_files(repository) -> list[Module]:
    """Every Python file of the repository."""
    return read_modules(repository, FOLDERS)


def is_allowed(module: Module, imported: Import) -> bool:
    if (
        module.name in COMMAND_LINE
        and imported.is_lazy
        and is_within(imported.name, "core.model")
    ):
        return True
    owner = max((name for name in FORBIDDEN if is_within(module.name, name)), key=len)
    return not any(is_within(imported.name, forbidden) for forbidden in FORBIDDEN[owner])


def test_imports_point_inward(sources) -> None:
    outward = [
        f"{module.name}, line {imported.line}: {imported.name}"
        for module in sources
        for imported in imports_of(module)
        if not is_allowed(module, imported)
    ]
    assert outward == []


def test_no_module_imports_itself_by_way_of_others(sources) -> None:
    names = {module.name for module in sources}
    graph = {
        module.name: {
            max(owners, key=len)
            for imported in imports_of(module)
            if (owners := [name for name in names if is_within(imported.name, name)])
        }
        for module in sources
    }
    assert find_cycle(graph) == []


def find_cycle(graph: dict[str, set[str]]) -> list[str]:
    """A chain of modules that ends where it began, or nothing."""
    done: set[str] = set()

    def visit(name: str, chain: list[str]) -> list[str]:
        if name in chain:
            return [*chain[chain.index(name) :], name]
        if name in done:
            return []
        for imported in sorted(graph[name] - {name}):
            if cycle := visit(imported, [*chain, name]):
                return cycle
        done.add(name)
        return []

    return next((cycle for name in sorted(graph) if (cycle := visit(name, []))), [])


def test_no_file_is_longer_than_one_sitting(all_files) -> None:
    long = [f"{m.name}: {m.n_lines} lines" for m in all_files if m.n_lines > MAX_LINES]
    assert long == []


def test_nothing_is_pickled(all_files) -> None:
    pickled = [
        f"{module.name}, line {line}: {name}"
        for module in all_files
        for name, line in _names_used(module)
        if any(is_within(name, pickling) for pickling in PICKLING)
    ]
    assert pickled == []


def _names_used(module: Module) -> Iterator[tuple[str, int]]:
    for imported in imports_of(module):
        yield imported.name, imported.line
    for node in ast.walk(module.tree):
        match node:
            case ast.Attribute(ast.Name(owner), attribute):
                yield f"{owner}.{attribute}", node.lineno
            case ast.keyword("allow_pickle", value) if not _is_false(value):
                yield "pickle", value.lineno


def _is_false(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant) and node.value is False


def test_every_module_says_what_it_is_about(all_files) -> None:
    silent = [module.name for module in all_files if not ast.get_docstring(module.tree)]
    assert silent == []


def test_a_package_holds_one_sentence(all_files) -> None:
    wordy = [
        module.name
        for module in all_files
        if module.is_package and not _is_one_sentence(module.tree)
    ]
    assert wordy == []


def _is_one_sentence(tree: ast.Module) -> bool:
    text = ast.get_docstring(tree) or ""
    return len(tree.body) == 1 and text.endswith(".") and ". " not in text


def test_every_module_is_named_after_its_subject(all_files) -> None:
    vague = [m.name for m in all_files if VAGUE_NAMES & set(m.path.stem.split("_"))]
    assert vague == []


def test_the_window_opens_without_torch(repository, tmp_path) -> None:
    shown = subprocess.run(  # noqa: S603 - our own program
        [sys.executable, "-c", SHOW_WINDOW, tmp_path / "annotations.bitbrush"],
        cwd=repository,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert shown.stdout == "shown, torch-free\n", shown.stderr
