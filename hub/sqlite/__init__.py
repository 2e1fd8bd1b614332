"""Django's SQLite backend over ``pysqlite3``, which bundles a current SQLite.

The standard library's SQLite may be older than 3.51.3, whose release fixed a corruption of WAL
databases; the hub writes in WAL mode all day.
"""
