"""CloudWatch metrics and alarms, and the way in which the other services publish theirs."""
