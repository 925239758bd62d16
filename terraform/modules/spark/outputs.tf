output "application_id" {
  description = "ID of the EMR Serverless application."
  value       = aws_emrserverless_application.this.id
}

output "bucket" {
  description = "Name of the bucket of checkpoints and logs."
  value       = aws_s3_bucket.this.bucket
}

output "kafka_arn" {
  description = "ARN of the MSK Serverless cluster; null without Kafka."
  value       = one(aws_msk_serverless_cluster.this[*].arn)
}
