"""Pix2SeqD: encode an image once, denoise its map many times."""

from collections.abc import Iterator
from dataclasses import replace

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from core.model.bits import labels_to_x0, x0_to_labels
from core.model.config import ModelConfig
from core.model.decoder import MaskDecoder
from core.model.diffusion import DdimStep, Known, Prediction, Sampler, ddim_steps
from core.model.encoder import Encoding, PixelEncoder
from core.model.middles import Agreement
from core.model.place import Settle

KIND: dict[str, Prediction] = {"eps": "eps", "v": "v"}  # of denoisers that do not predict x0


class Pix2SeqD(nn.Module):
    """The generalist panoptic model of arXiv:2210.06366: PixelEncoder and MaskDecoder.

    Two weighted copies exist while training, the live one and its running average (EMA); both
    are instances of this class, and files for inference hold the average.
    """

    def __init__(self, config: ModelConfig) -> None:
        super().__init__()
        self.config = config
        self.encoder = PixelEncoder(config)
        self.decoder = MaskDecoder(config)

    def init_weights(self) -> "Pix2SeqD":
        """Draw fresh weights as the authors do; seed torch first for repeatable ones."""
        self.encoder.init_weights()
        self.decoder.init_weights()
        return self

    @property
    def device(self) -> torch.device:
        return self.decoder.conv_in.weight.device

    def encode(self, image: Tensor) -> Encoding:
        """From [B, 3, H, W] float in [0, 1] to tokens and feature map."""
        if self.config.conditioning == "none":
            stride = self.config.stride
            size = (image.shape[-2] // stride, image.shape[-1] // stride)
            fmap = image.new_zeros(len(image), self.config.fmap_width, *size)
            return Encoding(image.new_zeros(len(image), 0, self.config.encoder_width), fmap)
        return self.encoder(image)

    def given(
        self, encoding: Encoding, past: Tensor | None = None, estimate: Tensor | None = None
    ) -> Tensor:
        """What stands beside the noisy bits: estimate, feature map, past maps.

        Args:
            past: [B, P, 2, h, w] integer labels, oldest first; None is P empty maps.
            estimate: [B, n, h, w] for self-conditioning; None is zeros.
        """
        config, fmap = self.config, encoding.fmap
        parts = [fmap]
        if config.self_condition != "none":
            empty = fmap.new_zeros(len(fmap), config.n_bits, *fmap.shape[-2:])
            parts.insert(0, empty if estimate is None else estimate.to(fmap))
        if config.past_frames:
            if past is None:
                past = torch.zeros(
                    len(fmap), config.past_frames, 2, *fmap.shape[-2:], dtype=torch.long
                ).to(fmap.device)
            parts += [self.past_bits(past[:, p]).to(fmap) for p in range(config.past_frames)]
        return torch.cat(parts, 1)

    def past_bits(self, labels: Tensor) -> Tensor:
        """Analog bits [B, n, h, w] of one past map [B, 2, h, w]; an empty map is all -b."""
        return labels_to_x0(labels, self.config.groups, self.config.b)

    def logits(
        self,
        x_t: Tensor,
        gamma: Tensor,
        encoding: Encoding,
        given: Tensor,
        settle: Settle | None = None,
    ) -> Tensor:
        """The decoder's output [B, out_width, h, w], for the loss."""
        return self.decoder(x_t, gamma, given, self._tokens(encoding), settle)

    def predict(
        self,
        x_t: Tensor,
        gamma: Tensor,
        encoding: Encoding,
        given: Tensor,
        settle: Settle | None = None,
    ) -> Tensor:
        """The decoder's x0 (or eps, v) [B, n, h, w], for sampling."""
        return self.decoder.predict(x_t, gamma, given, self._tokens(encoding), settle)

    def _tokens(self, encoding: Encoding) -> Tensor | None:
        return None if self.config.conditioning == "none" else encoding.tokens

    def sample(
        self,
        encoding: Encoding,
        noise: Tensor,
        steps: int,
        *,
        time_delta: float = 2.0,
        past: Tensor | None = None,
        known: Known | None = None,
        sampler: Sampler = "ddim",
        generator: torch.Generator | None = None,
    ) -> Iterator[DdimStep]:
        """Denoise a map for images that are encoded already, one yield a step.

        Args:
            noise: [B, n, h, w] from N(0, 1).
            past: [B, P, 2, h, w] labels of earlier frames.
        """
        config = self.config
        estimate: Tensor | None = None
        shared = self.given(encoding, past)
        settle = Agreement(config, known).settle if config.place_cell else None

        def denoise(x_t: Tensor, gamma: Tensor) -> Tensor:
            given = shared
            if config.self_condition != "none":
                given = self.given(encoding, past, estimate)
            return self.predict(x_t, gamma, encoding, given, settle).float()

        for step in ddim_steps(
            denoise,
            noise,
            steps,
            scale=config.clip,
            schedule=config.sampling_schedule,
            time_delta=time_delta,
            prediction=KIND.get(config.prediction, "x0"),
            known=known,
            sampler=sampler,
            generator=generator,
        ):
            estimate = step.eps if config.self_condition == "eps" else step.x0
            yield step

    def to_labels(self, x0: Tensor) -> Tensor:
        """Integer labels [B, 2, h, w] of analog bits [B, n, h, w]."""
        config = self.config
        return x0_to_labels(x0, config.groups, config.n_codes, config.n_ids)


def with_past_frames(model: Pix2SeqD, past_frames: int) -> Pix2SeqD:
    """The same network looking at more earlier maps, which it begins by ignoring.

    The inputs of the first convolution that are for the new maps come last and start at zero.

    Raises:
        ValueError: the network looks at more maps already.
    """
    if past_frames < model.config.past_frames:
        raise ValueError(f"the model has {model.config.past_frames} past frames already")
    wider = Pix2SeqD(replace(model.config, past_frames=past_frames)).to(model.device)
    state = model.state_dict()
    weight = state["decoder.conv_in.weight"]
    n_new = wider.config.noisy_width - model.config.noisy_width
    state["decoder.conv_in.weight"] = F.pad(weight, (0, 0, 0, 0, 0, n_new))
    for name, wanted in wider.state_dict().items():  # how far past maps are trusted
        if name.startswith("decoder.evidence.past."):
            grown = torch.zeros_like(wanted)
            if name in state:
                grown[: len(state[name])] = state[name]
            state[name] = grown
    wider.load_state_dict(state)
    return wider


def count_parameters(module: nn.Module) -> int:
    """Trainable numbers of a module."""
    return sum(p.numel() for p in module.parameters())
