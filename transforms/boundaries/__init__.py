"""Where colouring ends: one file per framework. The docstring of each says what becomes of its functions."""
