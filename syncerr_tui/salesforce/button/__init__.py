"""The org's own Re-sync button: learned once from a browser's recording, then called with other rows.

What StoreConnect's button calls is published nowhere, but a recording (HAR file) of one press shows it. `har`
reads the file, `recorded` finds the calls in it, `template` finds the row ids in a call's parameters and puts
others there, `learn` decides which call is the button. All four work offline and hold no session.
"""
