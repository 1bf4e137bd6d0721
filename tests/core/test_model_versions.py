"""A project remembers every version of its model, with its file, its data and its scores."""

import hashlib

import pytest

from core.authors import Author, AuthorKind
from core.edits import brush_stroke, new_segment
from core.errors import DamagedProjectError, ProjectError
from core.panoptic import Category
from core.recovery import recover_project
from core.store import AnnotationStore, ImageQuery, Order

CELL = Category(1, "cell", is_thing=True, color=(255, 0, 0))


@pytest.fixture
def store(tmp_path):
    with AnnotationStore.create(tmp_path / "a.bitbrush", [CELL]) as store:
        store.add_images((tmp_path / f"{name}.png", None, 20, 30) for name in "abc")
        yield store


@pytest.fixture
def add(store, tmp_path):
    """A function that adds a version with a file of its own."""

    def add(name, parent=None, **more):
        path = tmp_path / "models" / f"{name}.safetensors"
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(name.encode())
        return store.add_model_version(
            name, path, data_hash="d" * 8, n_images=12, parent=parent, **more
        )

    return add


def test_versions_are_kept_with_all_that_is_said_of_them(store, add, tmp_path):
    first = add("v1", scores={"pq": 0.5, "by_category": {"cell": 0.5}})
    second = add("v2", parent=first.id)
    store.close()
    with AnnotationStore.open(store.path) as again:
        assert again.model_versions() == [first, second]
    assert first.path == tmp_path / "models" / "v1.safetensors"
    assert first.sha256 == hashlib.sha256(b"v1").hexdigest()
    assert (second.parent, second.n_images, second.data_hash) == (1, 12, "d" * 8)
    assert first.scores == {"pq": 0.5, "by_category": {"cell": 0.5}}
    assert second.created >= first.created > 0


def test_a_project_that_is_moved_takes_its_models_along(store, add, tmp_path):
    first = add("v1", scores={"base": "nuclei"})
    add("v2", scores={"base": str(first.path)})
    store.set_model(str(first.path))
    assert store.model == str(first.path)
    store.close()
    there = tmp_path / "elsewhere"
    there.mkdir()
    for name in ("a.bitbrush", "models"):
        (tmp_path / name).rename(there / name)
    with AnnotationStore.open(there / "a.bitbrush") as moved:
        assert moved.model == str(there / "models" / "v1.safetensors")
        first, second = moved.model_versions()
        assert first.scores == {"base": "nuclei"}
        assert second.scores == {"base": str(first.path)} and first.path.exists()


def test_models_elsewhere_are_named_as_they_are(store):
    for model in ("", "nuclei", "/far/away.safetensors"):
        store.set_model(model)
        assert store.model == model


def test_scores_can_come_later(store, add):
    version = add("v1")
    store.set_model_scores(version.id, {"pq": 0.75})
    assert store.model_versions()[0].scores == {"pq": 0.75}
    with pytest.raises(ValueError, match="no model version 7"):
        store.set_model_scores(7, {})


def test_what_cannot_be_a_version_is_refused(store, add, tmp_path):
    add("v1")
    with pytest.raises(ProjectError, match="has a model 'v1' already"):
        add("v1")
    with pytest.raises(ValueError, match="no model version 9"):
        add("v2", parent=9)
    gone = tmp_path / "gone.safetensors"
    with pytest.raises(ProjectError, match=r"gone\.safetensors cannot be read"):
        store.add_model_version("v2", gone, data_hash="", n_images=0)
    with pytest.raises(ValueError, match="subpath"):
        store.add_model_version("v2", tmp_path.parent / "a", data_hash="", n_images=0)
    assert len(store.model_versions()) == 1


def test_the_oldest_model_comes_first_in_the_queue(store, add):
    for name, created in (("v1", 300), ("v2", 200)):
        add(name)
        statement = "UPDATE model_version SET created = ? WHERE name = ?"
        store._execute(statement, created, name)  # noqa: SLF001
    for image_id, model in ((1, "v1"), (3, "v2")):
        edit = brush_stroke(
            store.load_map(image_id), [(9, 9)], 3, new_segment(store.load_map(image_id), CELL)
        )
        store.append_edit(image_id, edit, Author(AuthorKind.MODEL, model, 0, 20))
    assert store.image_ids(ImageQuery(order=Order.MODEL)) == [2, 3, 1]


def test_a_damaged_entry_is_a_sentence_and_a_recovery_keeps_the_others(store, add):
    first, _ = add("v1"), add("v2")
    change = "UPDATE model_version SET checksum = 1 WHERE id = 2"
    store._execute(change)  # noqa: SLF001
    with pytest.raises(DamagedProjectError, match="Model version 2"):
        store.model_versions()
    store.close()
    recover_project(store.path)
    with AnnotationStore.open(store.path) as again:
        assert again.model_versions() == [first]
