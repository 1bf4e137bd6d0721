"""What is said of a batch: what it will do, how far it is, and what it has done."""

from typing import Final

from core.pre_annotation import BatchPlan

MINUTE_S: Final = 60
HOUR_S: Final = 3600
FEW: Final = 3  # images, before a pace is known


def say_plan(plan: BatchPlan) -> str:
    """Which images are left out, and why; empty for none."""
    parts = [
        (plan.n_approved, "approved"),
        (plan.n_rejected, "rejected"),
        (plan.n_in_work, "in work"),
        (plan.n_done, "that have this map already"),
    ]
    left_out = [f"{n:,} {what}" for n, what in parts if n]
    return f"Left out: {', '.join(left_out)}." if left_out else ""


def say_progress(n_done: int, n_images: int, worked_s: float) -> str:
    """How far a batch is, at which pace, and how long it will take."""
    place = f"{n_done:,} of {n_images:,}"
    if n_done < min(FEW, n_images) or worked_s <= 0:
        return place
    left_s = worked_s / n_done * (n_images - n_done)
    return f"{place} · {n_done / worked_s * MINUTE_S:.3g} a minute · {say_time(left_s)} left"


def say_time(seconds: float) -> str:
    """A span of time as a person would round it."""
    if seconds < MINUTE_S:
        return f"{seconds:.0f} s"
    if seconds < HOUR_S:
        return f"{seconds / MINUTE_S:.0f} min"
    hours, rest = divmod(round(seconds / MINUTE_S), MINUTE_S)
    return f"{hours} h {rest} min"


def say_end(n_saved: int, n_same: int, n_failed: int) -> str:
    """What a batch has done."""
    parts = [f"{count(n_saved)} got a map."]
    if n_same:
        parts.append(f"In {count(n_same)} the model found nothing to change.")
    if n_failed:
        parts.append(f"{count(n_failed)} could not get one.")
    return " ".join(parts)


def count(n_images: int) -> str:
    """So many images."""
    return "1 image" if n_images == 1 else f"{n_images:,} images"
