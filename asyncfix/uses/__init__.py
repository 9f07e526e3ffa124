"""How each kind of use of a function that turned async is written: one file per kind."""
