"""The reader: a record made into a page worth reading, with its text, its files and its discussion."""
