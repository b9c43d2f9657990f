"""The ways into an org. Each one turns a profile's settings into a token, and says what to do when it cannot."""
