"""The gate: a command, usually pytest, run on two copies of the tree, without and with the chosen Changes."""
