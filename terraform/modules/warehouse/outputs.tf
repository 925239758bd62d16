output "endpoint" {
  description = "Endpoint of Postgres, as host:port."
  value       = aws_db_instance.this.endpoint
}

output "secret_arn" {
  description = "ARN of the secret in which RDS stores user and password."
  value       = aws_db_instance.this.master_user_secret[0].secret_arn
}

output "address" {
  description = "Host name of Postgres."
  value       = aws_db_instance.this.address
}

output "queue_url" {
  description = "URL of the queue in which S3 tells of exports."
  value       = aws_sqs_queue.this.url
}
