"""The documents of the JSON API, version 1 (docs/api.md), made from exported results alone."""
