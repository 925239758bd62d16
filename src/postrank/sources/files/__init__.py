"""Sources that read files: replay of archives, tailing of logs."""
