"""Vega-Lite specifications from numbers: what charts look like. Pure data in, JSON-ready objects out."""
