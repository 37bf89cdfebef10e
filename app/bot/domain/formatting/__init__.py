"""How numbers, times and text are written for people."""
