"""Clear StoreConnect sync errors from a terminal: see what blocks, fix it, re-sync, prove it worked."""

__version__ = "0.1.0"
