"""The only rooms that talk to an org: ways in, transport, discovery, reading errors, re-sync methods."""
