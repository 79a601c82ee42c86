"""The release, which whoever needs it takes from here: the package itself imports nothing."""

__version__ = "0.1.0"
