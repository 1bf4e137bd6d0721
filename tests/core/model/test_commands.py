"""The commands that need the model, on weights of other programs."""

import json

from core.__main__ import main
from core.model_card import read_card


def test_import_weights_makes_a_model_file_and_says_what_came_in(
    golden_checkpoint, tmp_path, capsys
) -> None:
    out = tmp_path / "out.safetensors"
    assert main(["import-weights", str(golden_checkpoint), str(out)]) == 0
    said = capsys.readouterr().out
    assert f"Wrote {out}: " in said
    assert "averaged (EMA) weights" in said
    assert read_card(out).summary.startswith("Imported from")


def test_import_weights_takes_the_last_weights_and_names_from_a_file(
    golden_checkpoint, tmp_path, capsys
) -> None:
    averaged, live = tmp_path / "averaged.safetensors", tmp_path / "live.safetensors"
    main(["import-weights", str(golden_checkpoint), str(averaged)])
    n = len(read_card(averaged).categories)
    named = [{"id": i + 1, "name": f"kind {i}", "isthing": i % 2} for i in range(n)]
    names = tmp_path / "names.json"
    names.write_text(json.dumps({"images": [], "annotations": [], "categories": named}))
    arguments = ["import-weights", str(golden_checkpoint), str(live), "--live"]
    assert main([*arguments, "--categories", str(names)]) == 0
    assert "live weights" in capsys.readouterr().out
    assert [category.name for category in read_card(live).categories][:2] == [
        "kind 0",
        "kind 1",
    ]
    assert live.read_bytes() != averaged.read_bytes()


def test_weights_that_do_not_fit_the_configuration_are_one_sentence(
    golden_checkpoint, tmp_path, capsys
) -> None:
    out = tmp_path / "out.safetensors"
    assert main(["import-weights", str(golden_checkpoint), str(out), "--config", "nuclei"]) == 2
    captured = capsys.readouterr()
    assert "do not fit the configuration" in captured.err
    assert len(captured.err.splitlines()) == 1
    assert not out.exists()
