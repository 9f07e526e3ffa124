"""What functions read and write that others can reach."""
