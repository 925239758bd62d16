"""IAM: who signs a call, what a call needs permission for, and whether the policies in force give it."""
