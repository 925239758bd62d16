"""Where records come from, and what happens to each before it is buffered."""
