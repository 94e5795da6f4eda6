"""Speed of the ensemble, against the studies' way and against its bare networks.

    python -m benchmarks.throughput --markdown throughput.md

Everything is timed in the same run, in interleaved rounds, so that whatever else the machine does
hits every way alike. Only the ratios are claimed, each paired within its rounds. With a GPU that
TensorFlow sees, all networks run on it; CUDA_VISIBLE_DEVICES=-1 hides it.
"""
