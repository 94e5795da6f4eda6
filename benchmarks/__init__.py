"""What ReadFirst is measured against, each a script: `python -m benchmarks.throughput`."""
