"""The dialog for a new project lets nothing impossible through and hides nothing."""

from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QComboBox, QLabel, QPushButton

from app.new_project import FIRST_CATEGORIES, SIZE, NewProjectDialog
from core.bundled import DEFAULT_MODEL
from core.model_card import read_card
from core.panoptic import Category


@pytest.fixture
def dialog(qtbot, tmp_path) -> NewProjectDialog:
    dialog = NewProjectDialog([tmp_path / "a.png"], tmp_path / "annotations.bitbrush")
    qtbot.addWidget(dialog)
    dialog.models.choose("")
    dialog.show()
    return dialog


def test_the_model_for_single_images_is_chosen_first(qtbot, tmp_path):
    dialog = NewProjectDialog([tmp_path / "a.png"], tmp_path / "annotations.bitbrush")
    qtbot.addWidget(dialog)
    assert dialog.models.name == DEFAULT_MODEL


def create_button(dialog: NewProjectDialog) -> QPushButton:
    return next(b for b in dialog.findChildren(QPushButton) if b.text() == "Create project")


def rename(dialog: NewProjectDialog, row: int, name: str) -> None:
    table = dialog._table  # noqa: SLF001
    table.model().setData(table.model().index(row, 1), name)


def seen(dialog: NewProjectDialog) -> str:
    """Everything that can be read in the dialog."""
    return " ".join(label.text() for label in dialog.findChildren(QLabel) if label.isVisible())


def test_without_a_model_a_project_begins_with_an_object_and_a_background(
    qtbot, dialog, tmp_path
) -> None:
    with qtbot.waitSignal(dialog.chosen) as chosen:
        create_button(dialog).click()
    project = chosen.args[0]
    assert project.path == tmp_path / "annotations.bitbrush"
    assert (project.categories, project.model) == (FIRST_CATEGORIES, "")


def test_a_model_file_brings_its_categories_and_says_what_it_is(dialog, tiny_model) -> None:
    dialog.models.choose(str(tiny_model))
    card = read_card(tiny_model)
    project = dialog.new_project()
    assert (project.categories, project.model) == (card.categories, str(tiny_model))
    assert card.summary in seen(dialog)


def test_a_file_that_is_no_model_is_refused_with_its_name(dialog, tmp_path) -> None:
    wrong = tmp_path / "wrong.safetensors"
    wrong.write_text("no model")
    dialog.models.choose(str(wrong))
    assert str(wrong) in seen(dialog)
    assert dialog.new_project().model == ""


def test_categories_that_the_model_does_not_know_are_said(dialog, tiny_model) -> None:
    dialog.models.choose(str(tiny_model))
    assert "does not know" not in seen(dialog)
    rename(dialog, 0, "cell wall")
    assert "The model does not know 'cell wall'." in seen(dialog)
    assert "Its segments of 'nucleus' will be left out" in seen(dialog)


def test_many_differences_leave_the_categories_in_sight(qtbot, dialog, tiny_model) -> None:
    dialog.models.choose(str(tiny_model))
    button = next(b for b in dialog.findChildren(QPushButton) if b.text() == "From template…")
    (coco,) = [a for a in button.menu().actions() if "53 stuff" in a.text()]
    coco.trigger()
    qtbot.waitUntil(lambda: len(dialog.new_project().categories) == 133)
    assert "does not know 'person', 'bicycle', 'car', 'motorcycle' and 129 more." in seen(
        dialog
    )
    assert dialog._table.viewport().height() >= 100  # noqa: SLF001
    assert dialog.height() <= SIZE[1]


def test_what_was_typed_survives_another_choice_of_model(dialog, tiny_model) -> None:
    rename(dialog, 0, "cell wall")
    dialog.models.choose(str(tiny_model))
    assert dialog.new_project().categories[0].name == "cell wall"
    dialog._from_model.click()  # noqa: SLF001
    assert dialog.new_project().categories[0].name == "nucleus"


def test_a_thing_made_stuff_is_another_category_to_the_model(dialog, tiny_model) -> None:
    dialog.models.choose(str(tiny_model))
    kind = dialog._table.cellWidget(0, 2)  # noqa: SLF001
    assert isinstance(kind, QComboBox)
    kind.setCurrentText("stuff")
    assert not dialog.new_project().categories[0].is_thing
    assert "The model does not know 'nucleus'." in seen(dialog)


def test_rows_can_be_added_and_removed_and_ids_stay_with_their_rows(dialog) -> None:
    table = dialog._table  # noqa: SLF001
    table.add_category()
    rename(dialog, 2, "tree")
    table.selectRow(0)
    table.remove_selected()
    names = [(category.id, category.name) for category in dialog.new_project().categories]
    assert names == [(2, "background"), (3, "tree")]


@pytest.mark.parametrize(
    ("names", "fault"),
    [
        (["cell", ""], "Give category 2 a name."),
        (["cell", " CELL "], "Two categories are called 'CELL'; rename one of them."),
        ([], "Add at least one category."),
    ],
)
def test_impossible_categories_cannot_be_created(dialog, names, fault) -> None:
    table = dialog._table  # noqa: SLF001
    table.set_categories([Category(i, n, True, (1, 2, 3)) for i, n in enumerate(names)])
    table.edited.emit()
    assert fault in seen(dialog)
    assert not create_button(dialog).isEnabled()


def test_a_project_file_that_exists_is_never_overwritten(dialog, tmp_path) -> None:
    (tmp_path / "old.bitbrush").write_text("precious")
    dialog._path_edit.setText(str(tmp_path / "old"))  # noqa: SLF001
    assert "old.bitbrush exists already" in seen(dialog)
    assert not create_button(dialog).isEnabled()
    dialog._path_edit.setText(str(tmp_path / "none" / "new"))  # noqa: SLF001
    assert "does not exist; choose another one." in seen(dialog)


def test_a_folder_that_cannot_be_written_to_is_said_at_once(dialog, monkeypatch) -> None:
    monkeypatch.setattr("app.new_project.os.access", lambda *_: False)
    dialog._path_edit.setText(dialog._path_edit.text() + "2")  # noqa: SLF001
    assert "cannot be written to; choose another one." in seen(dialog)
    assert not create_button(dialog).isEnabled()


def test_a_name_that_is_too_long_is_said(dialog, tmp_path) -> None:
    dialog._path_edit.setText(str(tmp_path / ("a" * 300)))  # noqa: SLF001
    assert "cannot be a file's name (File name too long)" in seen(dialog)
    assert not create_button(dialog).isEnabled()


def test_names_that_look_like_html_are_shown_as_they_are(qtbot, tmp_path) -> None:
    dialog = NewProjectDialog([tmp_path / "<i>a & b.png"], tmp_path / "p.bitbrush")
    qtbot.addWidget(dialog)
    dialog.show()
    assert "<b>&lt;i&gt;a &amp; b.png</b>" in seen(dialog)


def test_escape_leaves_without_a_project(qtbot, dialog) -> None:
    with qtbot.waitSignal(dialog.rejected), qtbot.assertNotEmitted(dialog.chosen):
        qtbot.keyClick(dialog, Qt.Key.Key_Escape)


def test_sources_are_named(qtbot, tmp_path) -> None:
    sources = [Path("/pictures") / f"{i}.png" for i in range(1200)]
    dialog = NewProjectDialog(sources, tmp_path / "p.bitbrush")
    qtbot.addWidget(dialog)
    dialog.show()
    assert "1,200 images" in seen(dialog)


def test_a_template_gives_the_categories(qtbot, dialog) -> None:
    button = next(b for b in dialog.findChildren(QPushButton) if b.text() == "From template…")
    (coarse,) = [a for a in button.menu().actions() if "coarse" in a.text()]
    coarse.trigger()
    qtbot.waitUntil(lambda: len(dialog.new_project().categories) == 14)
    assert dialog.new_project().categories[6].name == "sky"
    dialog.models.choose("")
    assert len(dialog.new_project().categories) == 14


def test_a_template_replaces_the_models_categories_until_they_are_changed(
    qtbot, dialog, tiny_model
) -> None:
    dialog.models.choose(str(tiny_model))
    button = next(b for b in dialog.findChildren(QPushButton) if b.text() == "From template…")
    (coarse,) = [a for a in button.menu().actions() if "coarse" in a.text()]
    coarse.trigger()
    qtbot.waitUntil(lambda: len(dialog.new_project().categories) == 14)
    dialog._from_model.click()  # noqa: SLF001
    rename(dialog, 0, "cell wall")
    coarse.trigger()
    qtbot.waitUntil(lambda: len(dialog.new_project().categories) == 16)


def test_a_template_adds_to_what_was_typed_and_what_another_gave(qtbot, dialog) -> None:
    rename(dialog, 0, "Sky")
    button = next(b for b in dialog.findChildren(QPushButton) if b.text() == "From template…")
    by_name = {a.text(): a for a in button.menu().actions()}
    for name, n_categories in (("coarse", 15), ("Cityscapes", 31)):
        next(action for text, action in by_name.items() if name in text).trigger()
        qtbot.waitUntil(lambda n=n_categories: len(dialog.new_project().categories) == n)
    names = [category.name for category in dialog.new_project().categories]
    assert names[:2] == ["Sky", "background"]
    assert "sky" not in names
    assert "road" in names


def test_a_coco_file_gives_the_categories_or_a_sentence(qtbot, dialog, tmp_path) -> None:
    path = tmp_path / "instances.json"
    path.write_text('{"categories": [{"id": 18, "name": "dog"}]}')
    dialog._sources.read(path)  # noqa: SLF001
    qtbot.waitUntil(lambda: dialog.new_project().categories[0].name == "dog")
    assert dialog.new_project().categories[0].id == 18
    path.write_text("no JSON")
    dialog._sources.read(path)  # noqa: SLF001
    qtbot.waitUntil(lambda: "instances.json is not valid JSON" in seen(dialog))
    assert dialog.new_project().categories[0].name == "dog"
