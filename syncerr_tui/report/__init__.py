"""The hand-over: what was open, what was done with proof, what is left, and what comes next."""
