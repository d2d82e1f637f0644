"""What the server takes: seconds to ready, memory, and answers to clients that ask at once."""
