"""Where people wait, measured beside the peers: run it with ``uv run --group bench python -m benchmarks``."""
