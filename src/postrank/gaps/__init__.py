"""Reading a past span of time again, to close a gap: recent search, timelines, archives."""
