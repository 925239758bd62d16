"""What people look at, made from exported results alone: windows, sparklines, the report of a run."""
