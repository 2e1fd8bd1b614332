"""One library of what is public for everybody on this PC: one account keeps it, all others take from it."""
