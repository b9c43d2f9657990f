"""Whole screens and dialogs, one module each."""
