"""Tables as a query reads them: the catalogue, partitions, files."""
