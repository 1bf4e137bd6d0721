"""What a change of categories does is said in whole sentences, exceptions included."""

from app.category_sentences import UNDO, say_count, say_impact, say_moves
from core.category_changes import Count, Survey, plan_change
from core.panoptic import Category

CAR = Category(1, "car", is_thing=True, color=(1, 1, 1))
BUS = Category(2, "bus", is_thing=True, color=(2, 2, 2))
ROAD = Category(3, "road", is_thing=False, color=(3, 3, 3))
LIST = (CAR, BUS, ROAD)
OLD = {category.id: category for category in LIST}
LOCK = "a lock keeps pixels, not the list of categories"
STUFF_CAR = Category(1, "car", is_thing=False, color=(1, 1, 1))


def test_what_becomes_of_each_category():
    assert say_moves(OLD, plan_change(LIST, LIST, {}, 4)) == ""
    plan = plan_change(LIST, [STUFF_CAR], {BUS.id: CAR.id}, 4)
    assert say_moves(OLD, plan) == (
        "On saving: 'car' becomes stuff, 'bus' becomes 'car', 'road' is deleted."
    )


def test_counts():
    assert say_count(Count()) == "not used"
    assert say_count(Count(1, 1)) == "1 segment in 1 image"
    assert say_count(Count(1200, 34567)) == "34,567 segments in 1,200 images"


def test_a_change_that_touches_no_image():
    plan = plan_change(LIST, [BUS, ROAD], {}, 4)
    assert say_impact(Survey(n_read=5), plan) == [
        "No image has a segment of these: only the list of categories changes."
    ]


def test_everything_that_may_surprise():
    plan = plan_change(LIST, [BUS, ROAD], {CAR.id: ROAD.id}, 4)
    survey = Survey(
        n_read=1500,
        n_unreadable=1,
        n_touched=30,
        counts={CAR.id: Count(30, 70, n_locked=3, n_crowds=2), BUS.id: Count(9, 9, 9, 9)},
        joins={ROAD.id: Count(4, 11)},
    )
    assert say_impact(survey, plan) == [
        "30 images of 1,500 with edits will change, by one edit each.",
        "In 4 images, 11 segments become one 'road' an image.",
        f"3 segments of them are locked and will change too: {LOCK}.",
        "2 crowds will be plain stuff, which is never a crowd.",
        "1 image cannot be read and will not change.",
        UNDO,
    ]


def test_a_crowd_that_stays_a_thing_is_no_surprise():
    plan = plan_change(LIST, [BUS, ROAD], {CAR.id: BUS.id}, 4)
    survey = Survey(n_read=1, n_touched=1, counts={CAR.id: Count(1, 2, n_crowds=2)})
    assert say_impact(survey, plan)[:-1] == [
        "1 image of 1 with edits will change, by one edit each."
    ]
