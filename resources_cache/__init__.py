"""The local stores: what came from the hub, the person's own work, and downloaded files."""
