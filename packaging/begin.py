"""What a packaged build runs."""

from desktop.launching import begin

begin()
