"""The one button of a panel or dialog that goes on with the work."""

from PySide6.QtWidgets import QPushButton


def mark_primary(button: QPushButton) -> None:
    """Make a button stand out as the next step; the style sheet says how."""
    button.setProperty("primary", True)
