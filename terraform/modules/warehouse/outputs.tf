output "endpoint" {
  description = "Where Postgres answers, as host:port."
  value       = aws_db_instance.this.endpoint
}

output "secret_arn" {
  description = "The secret that RDS keeps user and password in."
  value       = aws_db_instance.this.master_user_secret[0].secret_arn
}
