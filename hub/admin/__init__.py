"""What facilitators work with: Django's admin, arranged around what waits for them.

Importing this registers everything; Django does so when it starts (autodiscovery).
"""

from . import catalogue, community, delivery, desk, fleet, harvest, people, reports

__all__ = ["catalogue", "community", "delivery", "desk", "fleet", "harvest", "people", "reports"]
