"""The window's own small set of widgets, all dressed by the theme."""
