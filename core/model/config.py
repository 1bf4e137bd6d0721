"""ModelConfig: every choice that makes one Pix2Seq-D differ from another, and the presets."""

import json
import math
from dataclasses import asdict, dataclass, fields, is_dataclass, replace
from types import UnionType
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

from core.model.diffusion import Schedule
from core.model.efficientnet import MAP_WIDTHS

STRIDES = (1, 2, 4, 8, 16)  # image pixels a map pixel
PredictionType = Literal["x_softmax_xent", "x_sigmoid_xent", "x", "eps", "v"]
MAX_BITS = 16  # a map holds ids in 16 bits
MAY_BE_ZERO = {"encoder_layers", "past_frames", "place_cell", "residual_blocks"}


@dataclass(frozen=True, slots=True)
class ModelConfig:
    """The network and the task that it was built for; defaults are the paper's COCO model.

    Sizes are (height, width).

    Attributes:
        image_size: of training images, and of all images where `resize` is "fit".
        mask_size: of the map that is denoised.
        resize: "fit" scales an image into `image_size` and pads it; "native" keeps its scale,
            up to `max_side`, and pads it to the next size that the strides allow.
        is_stretched: whether an image's 1st to 99.8th percentile is stretched to [0, 1] first.
        map_decoding: "authors" votes for each id and goes up to the picture's size by nearest;
            "fine" lets each pixel's code tell things from stuff and takes the largest bilinear
            share; "likeliest" also takes codes whole instead of bit by bit, of all steps
            together, and never void, and draws borders where they are equally likely.
        trunk: "resnet" has stages of strides 4, 8 and 16, as in the paper; "efficientnet-lite0"
            goes on to stride 32, and takes nothing of the fields `resnet_...`.
        resnet_widths: output channels of the three stages are four times these.
        resnet_norm: "batch" as in the paper, or "group" for small batches.
        has_stem_skip: whether the stem's stride-2 features join the last merge.
        merge_width: channels of the feature map beside the noisy map.
        conditioning: "cat+attn" gives the decoder features and tokens, "none" neither.
        decoder_kernels: of the residual blocks by level; the last holds for all levels after.
        time_scale: factor on gamma before its sine code.
        semantic_bits, instance_bits: bits of each channel.
        softmax_groups: bits that share a softmax, in order; () is one softmax a channel.
        n_codes: semantic codes, void included; n_ids: segment ids, 0 included.
        has_stuff_ids: whether stuff segments have ids too, or share id 0.
        prediction: what the network puts out; x_softmax_xent is the paper's.
        b: scale of the analog bits.
        loss_power: p, how strongly large segments are weighted down in the loss.
        semantic_loss_power: another p for the semantic bits; None is the same. Weights other
            than 1 make small segments grow, as every pixel in doubt goes to them.
        x0_clip: bound on x0 while sampling; None is b.
        self_condition: which earlier estimate joins the noisy map.
        past_frames: earlier maps that join the noisy map, for video.
        evidence_dilations: 3x3 windows over which segments share what their noisy bits say;
            () is the paper's plain head.
        has_category_skip: whether the feature map alone has a say on the category, by one more
            convolution beside the head, as a network without a decoder would say it.
        place_cell: ids are codes of the cell, so many map pixels a side, that the middle of a
            segment lies in; 0 draws them at random, as the paper does.
    """

    image_size: tuple[int, int] = (256, 256)
    mask_size: tuple[int, int] = (128, 128)
    resize: Literal["fit", "native"] = "fit"
    max_side: int = 1024
    is_stretched: bool = False
    map_decoding: Literal["authors", "fine", "likeliest"] = "authors"

    trunk: Literal["resnet", "efficientnet-lite0"] = "resnet"
    resnet_stem_width: int = 64
    resnet_widths: tuple[int, int, int] = (64, 128, 256)
    resnet_blocks: tuple[int, int, int] = (3, 4, 6)
    resnet_norm: Literal["batch", "group"] = "batch"
    encoder_width: int = 512
    encoder_layers: int = 12
    encoder_heads: int = 16
    encoder_mlp_ratio: float = 4.0
    encoder_dropout: float = 0.1
    encoder_attention_dropout: float = 0.0
    encoder_drop_path: float = 0.1
    has_stem_skip: bool = False
    merge_width: int = 256

    decoder_width: int = 128
    channel_multipliers: tuple[int, ...] = (1, 1, 2, 2)
    residual_blocks: tuple[int, ...] = (1, 1, 1, 1)
    decoder_kernels: tuple[int, ...] = (3,)
    decoder_in_kernel: int = 1
    decoder_out_kernel: int = 1
    decoder_dropout: float = 0.0
    transformer_width: int = 512
    transformer_layers: int = 6
    transformer_head_width: int = 64
    transformer_mlp_ratio: float = 4.0
    conditioning: Literal["cat+attn", "none"] = "cat+attn"
    time_scale: float = 1.0
    is_noisy_input_normalized: bool = False

    semantic_bits: int = 8
    instance_bits: int = 8
    softmax_groups: tuple[int, ...] = ()
    n_codes: int = 134
    n_ids: int = 101
    has_stuff_ids: bool = True
    prediction: PredictionType = "x_softmax_xent"
    b: float = 0.1
    loss_power: float = 0.2
    semantic_loss_power: float | None = None
    x0_clip: float | None = None
    self_condition: Literal["none", "x0", "eps"] = "none"
    past_frames: int = 0
    train_schedule: Schedule = Schedule()
    sampling_schedule: Schedule = Schedule()
    evidence_dilations: tuple[int, ...] = ()
    has_category_skip: bool = False
    place_cell: int = 0

    def __post_init__(self) -> None:
        """Refuse a configuration that no network can have.

        Raises:
            ValueError: a field has a value that it cannot have, or does not fit the others.
        """
        self._check_fields()
        if len(self.residual_blocks) != len(self.channel_multipliers):
            raise ValueError(
                f"residual_blocks has {len(self.residual_blocks)} entries and "
                f"channel_multipliers {len(self.channel_multipliers)}; give one a level"
            )
        self.check_sizes(self.image_size, self.mask_size)
        if self.transformer_width % self.transformer_head_width:
            raise ValueError(
                f"heads of {self.transformer_head_width} do not divide transformer_width "
                f"{self.transformer_width}"
            )
        self._check_head()
        if sum(self.code_groups) != self.n_bits:
            raise ValueError(f"softmax_groups {self.softmax_groups} are not {self.n_bits} bits")
        if self.n_codes > 2**self.semantic_bits or self.n_ids > 2**self.instance_bits:
            raise ValueError(
                f"{self.semantic_bits} + {self.instance_bits} bits cannot hold {self.n_codes} "
                f"codes and {self.n_ids} ids"
            )

    def _check_head(self) -> None:
        is_softmax = self.prediction == "x_softmax_xent"
        if self.has_category_skip and not (
            is_softmax and self.code_groups[0] == self.semantic_bits
        ):
            raise ValueError(
                "a category skip needs one softmax over the semantic bits, not "
                f"{self.prediction} over groups of {self.code_groups}"
            )
        if not (self.evidence_dilations or self.place_cell):
            return
        if self.prediction not in {"x_softmax_xent", "x_sigmoid_xent"}:
            raise ValueError(
                "evidence and ids by place need a cross-entropy prediction, not "
                f"{self.prediction}"
            )
        if self.place_cell and (self.instance_bits % 2 or self.past_frames):
            raise ValueError(
                f"ids by place need an even number of instance_bits, not {self.instance_bits}, "
                f"and no past frames, not {self.past_frames}"
            )

    def _check_fields(self) -> None:
        """Refuse values of the wrong type or out of range, as a damaged file may hold them."""
        for name, kind in get_type_hints(ModelConfig).items():
            value = getattr(self, name)
            smallest = 0 if name in MAY_BE_ZERO else 1
            counts = value if isinstance(value, tuple) else (value,)
            if (
                not is_of(value, kind)
                or any(type(count) is int and count < smallest for count in counts)
                or (type(value) is float and value < 0)
            ):
                raise ValueError(f"{name} cannot be {value!r}")
        if self.b == 0 or max(self.groups) > MAX_BITS:
            raise ValueError(
                f"b = {self.b} and {self.groups} bits: b must be above 0, and a channel has at "
                f"most {MAX_BITS} bits"
            )
        kernels = (*self.decoder_kernels, self.decoder_in_kernel, self.decoder_out_kernel)
        if not self.decoder_kernels or not all(kernel % 2 for kernel in kernels):
            raise ValueError(f"the decoder cannot have kernels {kernels}; use odd ones")

    def check_sizes(self, image: tuple[int, int], mask: tuple[int, int]) -> None:
        """Refuse sizes that the strides do not divide.

        Raises:
            ValueError: names the size.
        """
        multiple = self.mask_multiple
        fits = all(
            i > 0 and i % self.token_stride == 0 and m > 0 and m % multiple == 0
            for i, m in zip(image, mask, strict=True)
        )
        if (
            not fits
            or image[0] * mask[1] != image[1] * mask[0]
            or image[0] / mask[0] not in STRIDES
        ):
            raise ValueError(
                f"image {image} and mask {mask}: the image must be a multiple of "
                f"{self.token_stride}, the mask one of {multiple}, and one mask pixel 1, 2, 4, "
                "8 or 16 image pixels wide"
            )

    @property
    def mask_multiple(self) -> int:
        return 2 ** (len(self.channel_multipliers) - 1)

    @property
    def map_widths(self) -> tuple[int, ...]:
        """Channels of the trunk's maps at strides 2, 4, 8, ..."""
        if self.trunk == "resnet":
            return self.resnet_stem_width, *(4 * width for width in self.resnet_widths)
        return MAP_WIDTHS

    @property
    def token_stride(self) -> int:
        """Image pixels that the side of an encoder token covers."""
        return 2 ** len(self.map_widths)

    @property
    def stride(self) -> int:
        """Image pixels a map pixel."""
        return self.image_size[0] // self.mask_size[0]

    @property
    def groups(self) -> tuple[int, int]:
        return self.semantic_bits, self.instance_bits

    @property
    def code_groups(self) -> tuple[int, ...]:
        """Bits of each softmax of the head."""
        return self.softmax_groups or self.groups

    @property
    def level_widths(self) -> list[int]:
        """Channels of the decoder's levels, from fine to coarse."""
        return [self.decoder_width * multiplier for multiplier in self.channel_multipliers]

    @property
    def n_bits(self) -> int:
        return self.semantic_bits + self.instance_bits

    @property
    def clip(self) -> float:
        return self.b if self.x0_clip is None else self.x0_clip

    @property
    def fmap_width(self) -> int:
        """Channels of the feature map that the merge hands to the decoder."""
        if self.trunk != "resnet":
            return self.merge_width
        widths = self.map_widths
        return {4: widths[1], 8: widths[2], 16: self.encoder_width}.get(
            self.stride, self.merge_width
        )

    @property
    def noisy_width(self) -> int:
        """Channels of the decoder's input: noisy bits, estimate, features, past maps."""
        estimates = 0 if self.self_condition == "none" else self.n_bits
        return self.n_bits * (1 + self.past_frames) + estimates + self.fmap_width

    @property
    def out_width(self) -> int:
        if self.prediction == "x_softmax_xent":
            return sum(2**n_bits for n_bits in self.code_groups)
        return self.n_bits

    def to_json(self) -> str:
        return json.dumps(asdict(self))

    @classmethod
    def from_json(cls, text: str) -> "ModelConfig":
        """The configuration that `to_json` wrote.

        Raises:
            ValueError: a field is unknown, or its value is impossible.
        """
        values: dict[str, Any] = json.loads(text)
        known = {field.name for field in fields(cls)}
        if not isinstance(values, dict) or not values.keys() <= known:
            raise ValueError(f"unknown configuration fields {sorted(set(values) - known)}")
        for name, value in values.items():
            if isinstance(value, list):
                values[name] = tuple(value)
            if isinstance(value, dict):
                values[name] = Schedule(**value)
        try:
            return cls(**values)
        except TypeError as error:
            raise ValueError(f"a configuration field has the wrong type: {error}") from error


def is_of(value: object, kind: Any) -> bool:
    """Whether a value is what a type annotation of ModelConfig or Schedule says."""
    origin, parts = get_origin(kind), get_args(kind)
    if origin is Literal:
        return isinstance(value, str) and value in parts
    if origin is tuple and isinstance(value, tuple):
        kinds = parts[:1] * len(value) if Ellipsis in parts else parts
        return len(value) == len(kinds) and all(map(is_of, value, kinds))
    if origin in {Union, UnionType}:
        return any(is_of(value, part) for part in parts)
    if kind is float:
        return type(value) in {int, float} and math.isfinite(value)  # type: ignore[arg-type]
    if is_dataclass(kind) and type(value) is kind:
        hints = get_type_hints(kind)
        return all(is_of(getattr(value, name), hint) for name, hint in hints.items())
    return type(value) is kind


COCO = ModelConfig()

NUCLEI = ModelConfig(
    resize="native",
    max_side=1024,
    is_stretched=True,
    map_decoding="likeliest",
    resnet_stem_width=16,
    resnet_widths=(16, 32, 64),
    resnet_blocks=(1, 1, 1),
    resnet_norm="group",
    encoder_width=128,
    encoder_layers=2,
    encoder_heads=4,
    encoder_dropout=0.0,
    encoder_drop_path=0.0,
    has_stem_skip=True,
    merge_width=32,
    decoder_width=32,
    channel_multipliers=(1, 1, 2, 2),
    transformer_width=128,
    transformer_layers=2,
    transformer_head_width=32,
    semantic_bits=2,
    instance_bits=8,
    n_codes=3,
    n_ids=256,
    has_stuff_ids=False,
    prediction="x_sigmoid_xent",
    b=0.25,
    loss_power=0.4,
    semantic_loss_power=0.0,
    evidence_dilations=(1, 3),
    place_cell=6,
)

NATURAL = replace(  # photographs have much to name and little to count: a trunk that knows them
    NUCLEI,
    mask_size=(64, 64),
    max_side=320,
    is_stretched=False,
    trunk="efficientnet-lite0",
    has_stem_skip=False,
    merge_width=64,
    semantic_bits=4,
    n_codes=15,
    prediction="x_softmax_xent",
    softmax_groups=(4, *(1,) * NUCLEI.instance_bits),
    has_category_skip=True,
)

PRESETS: dict[str, ModelConfig] = {
    "coco": COCO,
    "coco-1024": replace(COCO, image_size=(1024, 1024), mask_size=(512, 512)),
    "coco-ablation": replace(COCO, image_size=(512, 512), mask_size=(256, 256)),
    "davis": replace(
        COCO, image_size=(512, 1024), mask_size=(256, 512), n_codes=1, n_ids=16, past_frames=2
    ),
    "kitti-step": replace(
        COCO,
        image_size=(384, 1248),
        mask_size=(192, 624),
        n_codes=20,
        n_ids=256,
        has_stuff_ids=False,
        past_frames=2,
    ),
    "cityscapes": replace(
        COCO, image_size=(1024, 2048), mask_size=(512, 1024), n_codes=20, n_ids=256
    ),
    "nuclei": NUCLEI,
    "nuclei-video": replace(NUCLEI, past_frames=2, place_cell=0),
    "natural-14": NATURAL,
}
