"""The user guide names every key that the window has."""

from app.action_spec import is_category_key
from app.actions import ACTIONS, MOUSE


def test_the_guide_lists_every_action_with_its_keys(repository) -> None:
    guide = (repository / "docs" / "user-guide.md").read_text(encoding="utf-8")
    rows = [
        f"| {spec.text} | {', '.join(spec.keys)} |"
        for spec in ACTIONS
        if spec.keys and not is_category_key(spec)
    ]
    rows += [f"| {text} | {keys} |" for text, keys in MOUSE]
    assert [row for row in rows if row not in guide] == []
