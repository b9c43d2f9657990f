"""The list as a person works it: filter, sort, selection, actions. Pure."""
