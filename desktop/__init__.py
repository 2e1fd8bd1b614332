"""The window: Qt Widgets over the shelf's own copy, and the command line `hubshelf`. Only this part knows Qt."""
