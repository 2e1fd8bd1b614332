"""Updates of the program: fetched like any file, made from the build that runs, begun at the next start."""
