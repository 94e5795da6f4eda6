"""Benchmarks of ReadFirst, each a script: `python -m benchmarks.throughput`."""
