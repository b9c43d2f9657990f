"""Looking at an org again and again: what is new, changed and gone, and who is told of it."""
