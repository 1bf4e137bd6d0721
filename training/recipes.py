"""The recipes: training runs with names, as plain values.

Numbers of the paper and of the authors' published configurations where there are any. Nothing
is published for the rate of the ablations, for Cityscapes and for the decoder alone: there the
closest published recipe is followed, as each comment says.

Source: arXiv:2210.06366, section 4 and tables 1-5; configurations of google-research/pix2seq.
"""

from dataclasses import dataclass, replace

from core.model.config import PRESETS, ModelConfig
from core.model.small_presets import SMALL_PRESETS
from core.proposals import SamplingOptions
from training.augment import Augmentation
from training.clip_generator import Motion
from training.config import Crops, Evaluation, TrainConfig
from training.copy_paste import Pasting
from training.map_faults import Faults
from training.photo_views import PhotoAugmentation

COCO_IMAGES = 118_287  # of train2017
YOURS = "as the data it was trained on"


@dataclass(frozen=True, slots=True)
class Recipe:
    """A training run with a name, and what its model's card says.

    Attributes:
        summary: one line on what the model knows.
        sampling: steps, td and filters that scored best on held-out pictures.
        licence: of the weights.
    """

    summary: str
    config: TrainConfig
    sampling: SamplingOptions
    licence: str


def steps_for(images: int, epochs: int, batch: int) -> int:
    """Optimizer steps that see every image so often, as the authors count them."""
    return images * epochs // batch + 1


COCO_256 = TrainConfig(
    model=PRESETS["coco"],
    augmentation=PhotoAugmentation(scale=(1.0, 3.0), colour=1.0),
    batch=512,
    steps=steps_for(COCO_IMAGES, 800, 512),
    learning_rate=1e-4,
    warmup_steps=COCO_IMAGES * 5 // 512,
    end_factor=0.1,
    ema_decay=0.999,
    eps_scope="uncorrected",
    precision="bfloat16",
    workers=8,
    evaluation=Evaluation(every=5_000, images=500),
)

COCO_1024 = replace(
    COCO_256,
    model=PRESETS["coco-1024"],
    augmentation=PhotoAugmentation(),
    batch=16,
    steps=steps_for(COCO_IMAGES, 15, 16),
    learning_rate=1e-5,
    warmup_steps=0,
    is_checkpointed=True,
)

COCO_ABLATION = replace(  # batch, size and epochs are the paper's; the rest is coco-256's
    COCO_256,
    model=PRESETS["coco-ablation"],
    batch=128,
    steps=steps_for(COCO_IMAGES, 100, 128),
    warmup_steps=COCO_IMAGES * 5 // 128,
)

COCO_DECODER = replace(  # the paper trains the decoder alone on maps; the rest is coco-256's
    COCO_256,
    model=replace(PRESETS["coco"], conditioning="none"),
    augmentation=PhotoAugmentation(scale=(1.0, 3.0)),
)

DAVIS = replace(
    COCO_256,
    model=PRESETS["davis"],
    augmentation=PhotoAugmentation(resize="bicubic"),
    batch=32,
    ids="shuffle",
    steps=50_000,
    learning_rate=1e-5,
    warmup_steps=0,
    end_factor=1.0,
    ema_decay=0.99,
    past_dropout=0.2,
    is_checkpointed=True,
)

KITTI_STEP = replace(DAVIS, model=PRESETS["kitti-step"])

CITYSCAPES = replace(  # the paper fine-tunes at one resolution; the rest is coco-1024's
    COCO_1024,
    model=PRESETS["cityscapes"],
    ids="shuffle",
    steps=steps_for(2_975, 100, 16),
)

NUCLEI = TrainConfig(
    model=PRESETS["nuclei"],
    augmentation=Augmentation(),
    crops=(Crops(128, 4, 0.85), Crops(256, 1, 0.15)),
    order="draws",
    steps=16_000,
    learning_rate=2e-3,
    warmup_steps=100,
    end_factor=0.02,
    beta2=0.99,
    times="stratified",
    place_weight=1.0,
    evaluation=Evaluation(every=2_000, steps=2, time_delta=1.0, images=24),
)

NUCLEI_VIDEO = replace(  # clips are made of the stills; ids are drawn anew for each clip
    NUCLEI,
    model=PRESETS["nuclei-video"],
    motion=Motion(is_on=True),
    faults=Faults(share=0.5),
    steps=6_000,
    learning_rate=1e-3,
    place_weight=0.0,
    ema_decay=0.998,
    evaluation=Evaluation(),
)

NATURAL = TrainConfig(  # for a hundred photographs, and minutes of one CPU core
    model=PRESETS["natural-14"],
    augmentation=PhotoAugmentation(scale=(0.5, 2.0), colour=0.5, resize="bytes"),
    pasting=Pasting(share=0.5),
    batch=4,
    steps=2_000,
    learning_rate=2e-3,
    trunk_rate=0.0,
    warmup_steps=100,
    end_factor=0.02,
    beta2=0.99,
    ema_decay=0.995,
    times="stratified",
    noise_draws=2,
    is_void_trained=False,
    evaluation=Evaluation(every=500, images=24),
)


def with_evidence(model: ModelConfig) -> ModelConfig:
    """The same network with what makes ids learnable in minutes, as in nuclei.

    Each id bit has a head of its own, as evidence adds up bit by bit.
    """
    return replace(
        model,
        evidence_dilations=(1, 3),
        softmax_groups=(model.semantic_bits, *(1,) * model.instance_bits),
        has_stuff_ids=False,
        map_decoding="fine",
        b=0.5,
        loss_power=0.4,
        semantic_loss_power=0.0,
    )


NANO = TrainConfig(
    model=with_evidence(SMALL_PRESETS["nano"]),
    augmentation=PhotoAugmentation(scale=(1.0, 2.0), colour=0.5, resize="bytes"),
    batch=16,
    order="draws",
    steps=4_000,
    learning_rate=2e-3,
    warmup_steps=100,
    end_factor=0.02,
    beta2=0.99,
    ema_decay=0.995,
    times="stratified",
    noise_draws=2,
)

MICRO = replace(NANO, model=with_evidence(SMALL_PRESETS["micro"]), steps=6_000)

TINY = replace(NANO, model=with_evidence(SMALL_PRESETS["tiny"]), batch=8, steps=6_000)

SMALL = replace(
    TINY, model=with_evidence(SMALL_PRESETS["small"]), steps=10_000, learning_rate=1e-3
)

PAPER_SAMPLING = SamplingOptions(steps=20, time_delta=2.0, min_area=80)
SMALL_SAMPLING = SamplingOptions(steps=20, time_delta=6.0, min_area=16, split_parts=True)
VIDEO_SAMPLING = SamplingOptions(steps=32, time_delta=1.0, min_area=10)

RECIPES: dict[str, Recipe] = {
    "coco-256": Recipe(
        "The 133 categories of COCO, at 256 x 256.", COCO_256, PAPER_SAMPLING, YOURS
    ),
    "coco-1024": Recipe(
        "The 133 categories of COCO, at 1024 x 1024; starts from coco-256.",
        COCO_1024,
        PAPER_SAMPLING,
        YOURS,
    ),
    "coco-ablation": Recipe(
        "The 133 categories of COCO, at 512 x 512, as in the paper's ablations.",
        COCO_ABLATION,
        PAPER_SAMPLING,
        YOURS,
    ),
    "coco-decoder": Recipe(
        "What maps look like, without an image; a start for the decoder of coco-256.",
        COCO_DECODER,
        PAPER_SAMPLING,
        YOURS,
    ),
    "davis": Recipe(
        "Moving objects in DAVIS videos; starts from coco-1024.", DAVIS, VIDEO_SAMPLING, YOURS
    ),
    "kitti-step": Recipe(
        "Street scenes of KITTI-STEP videos; starts from coco-1024.",
        KITTI_STEP,
        VIDEO_SAMPLING,
        YOURS,
    ),
    "cityscapes": Recipe(
        "The 19 categories of Cityscapes; starts from coco-1024.",
        CITYSCAPES,
        PAPER_SAMPLING,
        YOURS,
    ),
    "nuclei": Recipe(
        summary="Cell nuclei in fluorescence pictures, and some stained tissue.",
        config=NUCLEI,
        sampling=SamplingOptions(steps=2, time_delta=1.0, min_area=40, split_parts=True),
        licence="CC0-1.0",
    ),
    "nuclei-video": Recipe(
        summary="Cell nuclei in clips, followed from a first map; starts from nuclei.",
        config=NUCLEI_VIDEO,
        sampling=SamplingOptions(steps=2, time_delta=1.0, min_area=40),
        licence="CC0-1.0",
    ),
    "natural-14": Recipe(
        summary="Experimental: 14 coarse categories of COCO on ordinary photographs; starts "
        "from an EfficientNet-lite0 with weights of ImageNet.",
        config=NATURAL,
        sampling=SamplingOptions(steps=10, time_delta=4.0, min_area=400, split_parts=True),
        licence="Trunk Apache-2.0; annotations of COCO CC BY 4.0; photographs of COCO, which "
        "are not part of it, CC BY, BY-SA, BY-ND, BY-NC, BY-NC-SA and BY-NC-ND 2.0: for "
        "non-commercial use",
    ),
    "nano": Recipe(
        "Your own categories at 64 x 64, 15 things at most; half an hour of a CPU.",
        NANO,
        SMALL_SAMPLING,
        YOURS,
    ),
    "micro": Recipe(
        "Your own categories at 64 x 64, 31 things at most; an hour of a CPU.",
        MICRO,
        SMALL_SAMPLING,
        YOURS,
    ),
    "tiny": Recipe(
        "Your own categories at 128 x 128, 31 things at most; two hours of a CPU.",
        TINY,
        SMALL_SAMPLING,
        YOURS,
    ),
    "small": Recipe(
        "Your own categories at 128 x 128, 255 things at most; a night of a CPU.",
        SMALL,
        SMALL_SAMPLING,
        YOURS,
    ),
}
