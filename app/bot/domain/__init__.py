"""Pure models and rules: the standard library and pydantic, synchronous, no input or output."""
