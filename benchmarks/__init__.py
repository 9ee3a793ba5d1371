"""Measurements, together with other libraries (peers) in one run: ``python -m benchmarks NAME``."""
