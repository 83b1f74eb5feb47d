"""Holdfast with other packages, which have to be installed."""
