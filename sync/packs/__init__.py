"""Content carried by hand: packs are imported by the same engine that reads from a hub, and made on a shelf."""
