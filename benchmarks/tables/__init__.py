"""What `python -m benchmarks` measures, one table a file; each is a function of `quick`."""
