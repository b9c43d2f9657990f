"""The only rooms that talk to an org: auth methods, transport, discovery, reading errors, re-sync methods."""
