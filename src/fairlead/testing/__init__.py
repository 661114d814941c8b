"""Public fakes and helpers for tests, the demo and benches."""
