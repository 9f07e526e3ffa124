"""What a run found, in words: every function here is pure, from an `Outcome` to text."""
