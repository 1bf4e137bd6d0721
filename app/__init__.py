"""The window: Qt views over a document, and the child processes that do the heavy work."""
