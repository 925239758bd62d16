# S3 tells the queue of each exported ranking and of trends; Airflow's load_warehouse reads it. A message that is lost
# delays a load until the next hour, hence no dead-letter queue.

resource "aws_sqs_queue" "this" {
  name                      = var.queue
  message_retention_seconds = 86400
  receive_wait_time_seconds = 1
  sqs_managed_sse_enabled   = true
}

resource "aws_sqs_queue_policy" "this" {
  queue_url = aws_sqs_queue.this.id
  policy    = var.queue_policy
}

resource "aws_s3_bucket_notification" "this" {
  bucket = var.results_bucket

  dynamic "queue" {
    for_each = var.events
    content {
      id            = queue.value.id
      queue_arn     = aws_sqs_queue.this.arn
      events        = ["s3:ObjectCreated:*"]
      filter_prefix = queue.value.prefix
      filter_suffix = queue.value.suffix
    }
  }

  depends_on = [aws_sqs_queue_policy.this]
}
