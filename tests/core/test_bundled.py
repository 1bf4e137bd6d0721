"""The starter models and the sample images are where the program looks for them."""

from pathlib import Path

from PIL import Image

from core.bundled import ASSETS, DEFAULT_MODEL, SAMPLES, find_model, starter_models
from core.model_card import read_card


def test_a_starter_model_is_found_by_its_name() -> None:
    assert DEFAULT_MODEL in starter_models()
    for name, path in starter_models().items():
        assert find_model(name) == path
        assert path.is_file()


def test_another_model_is_found_by_its_path(tmp_path) -> None:
    assert find_model(str(tmp_path / "mine.safetensors")) == tmp_path / "mine.safetensors"
    assert find_model("folder/mine.safetensors") == Path("folder/mine.safetensors")


def test_every_sample_image_is_named_in_the_readme_with_its_size() -> None:
    text = (SAMPLES / "README.md").read_text()
    samples = sorted(SAMPLES.glob("*.jpg"))
    assert len(samples) == 4
    for path in samples:
        with Image.open(path) as image:
            assert f"| `{path.name}` | {image.width} x {image.height} |" in text


def test_the_starter_models_say_how_they_were_trained_and_score() -> None:
    for name, path in starter_models().items():
        card = read_card(path)
        assert card.name == name
        assert len(card.training["data_sha256"]) == 64
        assert card.training["command"].startswith("bitbrush train")
        if name == "nuclei-video":  # says little of a picture without the two before it
            assert card.training["clip_scores"]["j_and_f"] > 0.5
        else:
            assert card.training["scores"]["rows"][0]["things"]["pq"] > 0.5


def test_all_weights_together_stay_below_25_megabytes() -> None:
    assert sum(path.stat().st_size for path in (ASSETS / "models").iterdir()) < 25e6
