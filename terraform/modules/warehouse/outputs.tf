output "endpoint" {
  description = "Endpoint of Postgres, as host:port."
  value       = aws_db_instance.this.endpoint
}

output "secret_arn" {
  description = "ARN of the secret in which RDS stores user and password."
  value       = aws_db_instance.this.master_user_secret[0].secret_arn
}
