"""Publishing: from the facilitators' tables to signed, immutable files that any server can hand out.

`records` says what is public and how it looks on the wire; `sealer` numbers what changed and signs the head;
`runs` packs it into segments; `served` is the result on disk; `keys` holds the signing keys; `epochs` notices
a restored database.
"""
