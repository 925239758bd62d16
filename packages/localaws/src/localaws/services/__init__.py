"""The AWS services that are answered here, one package each."""
