"""From text to facts, guidance and causes. Pure: no I/O beyond its own data files, no org, no screen."""
