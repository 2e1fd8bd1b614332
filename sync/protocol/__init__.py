"""What a shelf and a hub must agree on; the normative text is docs/protocol.md. Imports nothing of ours."""

VERSION = 2
"""The wire version that this code speaks; a breaking change is a new path beside the old one."""
