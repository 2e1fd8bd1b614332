"""Bounds on everything that comes from the other side. Sizes are bytes unless a name says otherwise."""

HEAD = 16 * 1024
"""A signed head."""
ROOT = 64 * 1024
"""A root document."""
DOCUMENT = 4 * 1024 * 1024
"""An index, a list of parts, a history or a snapshot's list, as JSON."""
SEGMENT = 1024 * 1024
"""A segment on the wire; the hub cuts below it."""
SEGMENT_RAW = 8 * 1024 * 1024
"""A segment after decoding: what a decoder may allocate."""
PREFIX = 2 * 1024 * 1024
"""What a primed segment may ask the decoder to be trained with."""
PRIMING = 1024 * 1024
"""What the hub primes a day's changes with: measured on real text, twice as much saves 3 % more."""
MODEL = 64 * 1024 * 1024
"""The memory of a PPMd model."""
VALUES = 300_000
"""Values in the JSON of one segment (count): about 100 bytes of memory each, once they are read."""
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
CHOICES = 1000
"""Languages, or themes, that a shelf keeps (count)."""
KEYS = 8
"""Keys for members, or ids of such keys, in one message (count)."""
PARTS_HELD = 100
"""Things of which a shelf has the beginning, in one request (count)."""
TITLE = 500
"""Characters in a title that a member writes."""
BODY = 40_000
"""Characters in a text that a member writes."""
REPORT = 2_000
"""Characters that a member writes in a report to the moderators."""
JSON_DEPTH = 32
"""Nesting of any JSON document of the protocol."""
