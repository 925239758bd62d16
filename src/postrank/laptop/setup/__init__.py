"""What a run on a laptop is set up with: options, folders, ports."""
