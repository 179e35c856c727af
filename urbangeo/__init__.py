"""urbangeo."""
