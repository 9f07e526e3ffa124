"""A small weather service in front of a slow upstream."""
