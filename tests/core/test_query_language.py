"""What is typed finds the images that it says, or a sentence shows where it says nothing."""

import pytest

from core.authors import Author, AuthorKind
from core.edits import brush_stroke, new_segment
from core.errors import QueryError
from core.panoptic import Category
from core.query_language import parse_query
from core.store import AnnotationStore, ImageQuery, Review

CELL = Category(1, "Zelle", is_thing=True, color=(255, 0, 0))
DEAD = Category(2, "dead cell, stained", is_thing=True, color=(0, 255, 0))
MODEL = Author(AuthorKind.MODEL, "nuclei v3", 0, 20)
DAY = 86_400


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    """1 three cells, in work; 2 a proposal; 3 approved, held out; 4 rejected; 5 a dead cell."""
    folder = tmp_path_factory.mktemp("project")
    with AnnotationStore.create(folder / "a.bitbrush", [CELL, DEAD]) as store:
        names = ("a.png", "Größe/b.png", "sub/c-1.png", "sub/d e.png", "sub/f.png")
        store.add_images((folder / name, None, 20, 60) for name in names)

        def paint(image_id, category=CELL, **options):
            map = store.load_map(image_id)
            point = (3 + 6 * len(map.segments), 5)
            edit = brush_stroke(map, [point], 2, new_segment(map, category))
            store.append_edit(image_id, edit, **options)

        for _ in range(3):
            paint(1)
        paint(2, author=MODEL)
        paint(3, author=Author(AuthorKind.MODEL, "tiny", 0, 20))
        store.set_review(3, Review.APPROVED)
        store.set_review(4, Review.REJECTED, "too dark")
        paint(5, category=DEAD)
        store.set_expected_work(2, 0.25)
        for image_id, days in ((1, 30), (2, 5), (5, 0.4)):
            store._execute(  # noqa: SLF001 - long ago
                "UPDATE image SET changed_at = unixepoch() - ? WHERE id = ?",
                int(days * DAY),
                image_id,
            )
        store._execute("UPDATE image SET held_out = (id = 3) WHERE id < 4")  # noqa: SLF001
        yield store


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("", [1, 2, 3, 4, 5]),
        ("  ", [1, 2, 3, 4, 5]),
        ("SUB", [3, 4, 5]),
        ("sub c", [3]),
        ('"d e"', [4]),
        ("-sub", [1, 2]),
        ("c-1", [3]),
        ("a.png,f.png", [1, 5]),
        ("name:größe", [2]),
        ('name:"d e"', [4]),
        ("state:proposed", [2]),
        ("STATE:Proposed", [2]),
        ("state=in-work", [1, 5]),
        ('state:"in work"', [1, 5]),
        ("state:in_work", [1, 5]),
        ("state:rej", [4]),
        ("state:proposed,approved", [2, 3]),
        ("-state:in-work", [2, 3, 4]),
        ("category:zelle", [1, 2, 3]),
        ("category:dead", [5]),
        ('category:"cell, stained"', [5]),
        ("-category:zelle", [4, 5]),
        ("category:nothing", []),
        ("segments>1", [1]),
        ("segments>=1", [1, 2, 3, 5]),
        ("segments<1", [4]),
        ("segments:3", [1]),
        ("segments=1,3", [1, 2, 3, 5]),
        ("edits>2", [1]),
        ("model:V3", [2]),
        ("model:none", [1, 4, 5]),
        ("-model:none", [2, 3]),
        ("age>7d", [1]),
        ("age>4d", [1, 2]),
        ("age<12h", [3, 4, 5]),
        ("age>=2w", [1]),
        ("age<90m", [3, 4]),
        ("work>0.2", [2]),
        ("-work>0.2", [1, 3, 4, 5]),
        ("holdout:yes", [3]),
        ("holdout:no", [1, 2, 4, 5]),
        ("reason:dark", [4]),
        ("category:zelle state:proposed segments<50 age>1d", [2]),
    ],
)
def test_a_query_finds_what_it_says(store, text, found):
    assert store.image_ids(ImageQuery(conditions=parse_query(text))) == found


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        (
            "sub sgements>5",
            "'sgements>5' at character 5 asks for no field that there is; there",
        ),
        (
            "state:done",
            "'state:done' at character 1 names no state; there are empty, proposed,",
        ),
        ("state:", "'state:' at character 1 has no value after it."),
        (
            "a state>approved",
            "'state>approved' at character 3 cannot be compared with >; write",
        ),
        ("segments>many", "'segments>many' at character 1 asks for a number."),
        ("age>7", "'age>7' at character 1 asks for a time such as 30m, 12h, 7d or 2w."),
        ("age:7d", "'age:7d' at character 1 cannot be compared with :; write age>…"),
        ("holdout:maybe", "'holdout:maybe' at character 1 can be yes or no."),
        ('b name:"d e', "The quote at character 8 has no end; add another one."),
        ("work>nan", "'work>nan' at character 1 asks for a number."),
    ],
)
def test_a_sentence_shows_what_is_wrong_and_where(text, sentence):
    with pytest.raises(QueryError) as caught:
        parse_query(text)
    assert str(caught.value).startswith(sentence)


def test_whatever_is_typed_is_no_sql(store):
    for text in ("'", "name:');DROP_TABLE_image", "%", "_", "?", "a'OR'1'='1"):
        assert store.image_ids(ImageQuery(conditions=parse_query(text))) in ([], [3], [4])
