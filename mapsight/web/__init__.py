"""The web: what addresses that strangers wrote lead to, in bounded time and memory."""
