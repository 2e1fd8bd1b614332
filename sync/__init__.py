"""The sync engine: plans, moves and applies what a shelf needs from its hub, and delivers the outbox."""
