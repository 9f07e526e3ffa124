"""The built-in rules: one file, one rule. The folder is the registry (see `asyncfix.registry`)."""
