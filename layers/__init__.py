"""Data of urbangeo that people can read and review; see catalog.toml."""
