"""The long-running process: reads a source, sends its posts on, counts, and says how it is."""
