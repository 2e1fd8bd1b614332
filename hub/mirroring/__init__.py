"""A static copy of the public plane, for web servers that know nothing of Hubshelf."""
