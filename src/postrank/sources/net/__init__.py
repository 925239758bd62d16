"""What network sources share: connections, back-off, gap recovery, batches."""
