"""Systems Manager's Run Command, on the processes of instances."""
