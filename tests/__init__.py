"""The tests. What is set here is read when NumPy and TensorFlow are imported, so it comes first."""

import os

# The matrices of the tests are small: threads would only wait for one another, and burn a core.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
if "PYTEST_XDIST_WORKER" in os.environ:
    # Each of several test processes has a core of its own, and so have the stacks that it starts.
    for threads in ("TF_NUM_INTRAOP_THREADS", "TF_NUM_INTEROP_THREADS", "OMP_NUM_THREADS"):
        os.environ.setdefault(threads, "1")
