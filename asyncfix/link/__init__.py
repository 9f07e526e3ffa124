"""Summaries joined into one index of the project: who defines, who calls, who overrides, who may call."""
