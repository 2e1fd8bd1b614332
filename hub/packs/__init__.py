"""What a hub serves, made to be carried by hand, and what comes back to it on a stick."""
