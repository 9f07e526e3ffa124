"""What frameworks accept: one small data file per framework."""
