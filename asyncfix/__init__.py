"""asyncfix migrates Python code to asyncio, a whole program at a time."""

__version__ = "0.1.0"
