"""One execution of a statement, and the engine that it runs on."""
