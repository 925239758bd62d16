"""One module for each form in which posts arrive, and the detection of the form."""
