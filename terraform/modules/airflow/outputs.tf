output "role_arn" {
  description = "ARN of the role that Airflow's tasks run under."
  value       = aws_iam_role.this.arn
}

output "webserver_url" {
  description = "URL of the Airflow UI on MWAA; null without MWAA."
  value       = one(aws_mwaa_environment.this[*].webserver_url)
}
