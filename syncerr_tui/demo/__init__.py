"""A Salesforce-shaped org in a box. Imports nothing from salesforce/, resync/ or diagnosis/."""


def resource(path: str) -> str:
    """What a file of this package holds: the demo's data stand in files beside what reads them."""
    from importlib.resources import files  # late: the options are read before the first frame

    return files(__name__).joinpath(path).read_text(encoding="utf-8")
