"""Harvests: sources are read page by page into an inbox, where people decide what becomes a resource."""
