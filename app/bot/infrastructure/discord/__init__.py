"""Discord as the bot writes to it: blocks to components, messages, and the pace that Discord allows."""
