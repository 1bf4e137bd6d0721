"""The one button of a panel or dialog that goes on with the work."""

from PySide6.QtWidgets import QPushButton

from app.theme import current_tones


def mark_primary(button: QPushButton) -> None:
    """Make a button stand out as the next step."""
    tones = current_tones()
    shape = "border: none; border-radius: 5px; padding: 5px 14px; font-weight: 600;"
    button.setStyleSheet(
        f"QPushButton {{ {shape} background: {tones.accent}; color: {tones.on_accent}; }}"
        f"QPushButton:disabled {{ background: {tones.raised}; color: {tones.muted}; }}"
        f"QPushButton:focus {{ border: 2px solid {tones.text}; padding: 3px 12px; }}"
    )
