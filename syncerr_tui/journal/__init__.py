"""What was asked, answered and proven, on disk: one SQLite file for each org. Knows no org and no plan."""
