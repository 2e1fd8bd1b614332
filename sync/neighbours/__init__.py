"""Desktops of one office help each other: what one has fetched it gives to the others, and nothing is trusted."""
