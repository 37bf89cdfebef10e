"""Docker engines: how they are reached, what they are asked, and what their answers mean."""
