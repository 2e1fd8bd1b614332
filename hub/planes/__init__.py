"""The two planes on the wire: `public` hands out signed files, `personal` is one POST for one member."""
