"""Models that label posts: trained, judged, stored, found by name."""
