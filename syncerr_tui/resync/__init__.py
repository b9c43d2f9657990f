"""Plan, run, verdict. Knows the org only through `org.Org`; yields events; knows no screen."""
