"""Bounds on everything that comes from the other side. Sizes are bytes unless a name says otherwise."""

HEAD = 16 * 1024
"""A signed head."""
ROOT = 64 * 1024
"""A root document."""
INDEX = 4 * 1024 * 1024
"""The index of streams."""
MANIFEST = 4 * 1024 * 1024
"""The manifest of one stream."""
SEGMENT = 1024 * 1024
"""A segment on the wire; the hub cuts below it."""
SEGMENT_RAW = 16 * 1024 * 1024
"""A segment after decoding: what a decoder may allocate."""
RECORD = 4 * 1024 * 1024
"""One record as JSON, long text editions included."""
FILE = 2 * 1024 * 1024 * 1024
"""One content-addressed file."""
SYNC_REQUEST = 1024 * 1024
"""The body of one POST to the personal plane."""
SYNC_RESPONSE = 8 * 1024 * 1024
"""Its answer."""
OPERATION = 64 * 1024
"""The body of one operation as JSON."""
OPERATIONS = 100
"""Operations in one request (count)."""
PERSONAL_ITEMS = 200
"""Personal items in one answer (count); more are announced by `more`."""
TITLE = 500
"""Characters in a title that a member writes."""
BODY = 40_000
"""Characters in a text that a member writes."""
JSON_DEPTH = 32
"""Nesting of any JSON document of the protocol."""
