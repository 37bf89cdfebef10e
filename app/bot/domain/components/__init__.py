"""What a component is, and what its types share; the types themselves stand in `types/`."""
