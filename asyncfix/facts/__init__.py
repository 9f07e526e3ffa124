"""What one file says by itself: scopes, refs, and a walk that collects the facts of every function."""
