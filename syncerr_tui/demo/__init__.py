"""A Salesforce-shaped org in a box. Imports nothing from salesforce/, resync/ or diagnosis/."""
