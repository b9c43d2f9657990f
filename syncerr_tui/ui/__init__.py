"""Textual only: app, screens, widgets, styles. Decides no rule of the domain."""
