"""STQ equals the published cases and the values recorded from the authors' code."""

import numpy as np
import pytest

from core.video_quality import SequenceTally, rate_tracking

DIVISOR = 1000


def tally(n_classes: int, things, frames) -> SequenceTally:
    """Count frames of (true, predicted) values class * 1000 + id."""
    counted = SequenceTally(n_classes, things)
    for true, predicted in frames:
        counted.add(np.divmod(np.array(true), DIVISOR), np.divmod(np.array(predicted), DIVISOR))
    return counted


FIRST = (
    [[0, 0, 1001, 1001], [0, 0, 1001, 1002]],
    [[0, 0, 1005, 1005], [0, 1005, 1005, 1006]],
)
SECOND = (
    [[0, 1001, 1001, 0], [0, 1002, 1002, 255_000]],
    [[0, 1005, 1005, 0], [0, 1007, 1006, 0]],
)


def test_the_published_case() -> None:
    quality = rate_tracking([tally(2, [1], [FIRST, SECOND])])
    assert quality.iou == pytest.approx(0.873016, abs=2e-6)
    assert quality.association == pytest.approx(0.694444, abs=2e-6)
    assert quality.stq == pytest.approx(0.778628, abs=2e-6)


def test_the_truth_is_perfect() -> None:
    quality = rate_tracking([tally(2, [1], [(FIRST[0], FIRST[0])])])
    assert (quality.stq, quality.association, quality.iou) == (1, 1, 1)


def test_ids_of_a_crowd_are_not_judged() -> None:
    crowd = [[1000, 1000, 1001, 1001]]
    quality = rate_tracking([tally(2, [1], [(crowd, [[1007, 1008, 1001, 1001]])])])
    assert quality.association == 1


def test_an_id_that_changes_between_frames_halves_its_tube() -> None:
    true = [[1001, 1001]]
    frames = [(true, [[1001, 1001]]), (true, [[1002, 1002]])]
    assert rate_tracking([tally(2, [1], frames)]).association == pytest.approx(0.5)


def test_no_sequence_is_refused() -> None:
    with pytest.raises(ValueError, match="no sequence to rate; add at least one"):
        rate_tracking([])


def test_recorded_clips(shared_dir) -> None:
    recorded = np.load(shared_dir / "golden" / "metrics.npz")
    sequences = recorded["stq/sequence"]
    tallies = []
    for sequence in np.unique(sequences):
        chosen = sequences == sequence
        true = np.where(recorded["stq/gt"] == 255, 255 * DIVISOR, recorded["stq/gt"])[chosen]
        frames = zip(true, recorded["stq/pred"][chosen], strict=True)
        tallies.append(tally(19, (11, 13), frames))
    names = {"STQ": "stq", "AQ": "association", "IoU": "iou"}
    for name, field in names.items():
        whole = getattr(rate_tracking(tallies), field)
        assert whole == pytest.approx(float(recorded[f"stq/{name}"]), abs=1e-6)
        alone = [getattr(rate_tracking([one]), field) for one in tallies]
        assert alone == pytest.approx(recorded[f"stq/{name}_per_seq"].tolist(), abs=1e-6)
