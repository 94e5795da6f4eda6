"""Arithmetic in which this machine computes best."""

from pathlib import Path
from typing import Literal

#: Processor flags of instructions that multiply bfloat16 matrices or vectors.
BFLOAT16_FLAGS = {"avx512_bf16", "amx_bf16", "bf16"}
#: The first compute capability of NVIDIA GPUs that has bfloat16 (Ampere).
BFLOAT16_CAPABILITY = (8, 0)


def choose_precision(
    wanted: Literal["auto", "float32", "bfloat16"],
) -> Literal["float32", "bfloat16"]:
    """`wanted`, or for `auto` bfloat16 where the GPU, else the processor, computes in it."""
    if wanted != "auto":
        return wanted
    capabilities = _gpu_capabilities()
    if capabilities:
        return "bfloat16" if min(capabilities) >= BFLOAT16_CAPABILITY else "float32"
    return "bfloat16" if BFLOAT16_FLAGS & processor_flags() else "float32"


def processor_flags(path: Path = Path("/proc/cpuinfo")) -> set[str]:
    """Read the processor's flags from Linux; empty elsewhere."""
    try:
        lines = path.read_text().splitlines()
    except OSError:
        return set()
    flags = (line.split(":", 1)[1] for line in lines if line.startswith(("flags", "Features")))
    return set(next(flags, "").split())


def _gpu_capabilities() -> list[tuple[int, int]]:
    import keras

    if keras.config.backend() != "tensorflow":
        return []
    import tensorflow

    gpus = tensorflow.config.list_physical_devices("GPU")
    details = [tensorflow.config.experimental.get_device_details(gpu) for gpu in gpus]
    return [detail.get("compute_capability", (0, 0)) for detail in details]
