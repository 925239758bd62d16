"""The pages of the app and what they share. They read the warehouse as its reader, and nothing else."""
