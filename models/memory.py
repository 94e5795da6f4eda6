"""Memory of this process: freed memory is kept, and a GPU's is taken only as it is needed."""

import ctypes

#: Options of glibc's `mallopt` (malloc.h).
M_TRIM_THRESHOLD, M_MMAP_THRESHOLD = -1, -3
#: Blocks up to this many bytes are taken from what was freed before.
KEPT_BYTES = 1 << 30


def keep_freed_memory() -> None:
    """Have glibc keep what is freed; nothing to do on other C libraries.

    Networks free and take the same hundreds of megabytes in every step. Handed back to the system
    in between, each page must be mapped and cleared anew: a tenth of the time of scoring, and half
    of that of training, where TensorFlow's data sets set the thresholds very low.
    """
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is not None:
        mallopt(M_MMAP_THRESHOLD, KEPT_BYTES)
        mallopt(M_TRIM_THRESHOLD, 2 * KEPT_BYTES - 1)


def let_gpu_memory_grow() -> None:
    """Keep TensorFlow from taking a GPU's whole memory; nothing to do on other backends."""
    import keras

    if keras.config.backend() != "tensorflow":
        return
    import tensorflow

    for gpu in tensorflow.config.list_physical_devices("GPU"):
        tensorflow.config.experimental.set_memory_growth(gpu, True)
