"""Event notifications of buckets: configurations, the outbox, and delivery to SQS and SNS.

Source of the rules: "Amazon S3 Event Notifications" and "PutBucketNotificationConfiguration".
"""
