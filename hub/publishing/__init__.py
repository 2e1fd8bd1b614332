"""Publishing: from the facilitators' tables to signed, immutable files that any server can hand out.

`marks` knows what changed, `records` says what is public and how it looks on the wire, `sealing` commits the
difference under a version. `runs` and `snapshots` pack it into segments (`coding`), `listing` into what the index
says, `sealer` does all of it in order and signs the head. `served` is the result on disk, `garbage` and `erasure`
take away from it; `keys` holds the signing keys; `epochs` notices a restored database. `members` and `member_keys`
keep the key for what only members may read. `changes` keeps what
longer runs are composed of, `naming` and `ordering` are what both sides must agree on.
"""
