"""with_random_ids(): the same network, with ids that say nothing of where a segment lies."""

from dataclasses import replace

from core.model.config import ModelConfig
from core.model.pix2seq_d import Pix2SeqD


def with_random_ids(model: Pix2SeqD) -> Pix2SeqD:
    """A network whose ids are by place, made ready to learn ids that are drawn at random.

    What it knows of categories, of borders and of which pixels belong together stays. What it
    says of ids is of their places: its votes for middles are left out, and the rows of the head
    for bits of ids start at zero.

    Raises:
        ValueError: it does not predict bits, whose rows could be told apart.
    """
    config = model.config
    if config.prediction != "x_sigmoid_xent":
        raise ValueError(f"the head of {config.prediction} has no rows of single bits")
    other = Pix2SeqD(_without_place(config)).to(model.device)
    state = {k: v for k, v in model.state_dict().items() if not k.startswith("decoder.place.")}
    for name in ("decoder.conv_out.weight", "decoder.conv_out.bias"):
        state[name] = state[name].clone()
        state[name][config.semantic_bits :] = 0
    other.load_state_dict(state)
    return other.train(model.training)


def _without_place(config: ModelConfig) -> ModelConfig:
    return replace(config, place_cell=0)
