output "role_arn" {
  description = "The role that Airflow's tasks run under."
  value       = aws_iam_role.this.arn
}

output "repository_url" {
  description = "Where Airflow's image is pushed."
  value       = aws_ecr_repository.this.repository_url
}

output "webserver_url" {
  description = "Where MWAA shows Airflow, or null without it."
  value       = one(aws_mwaa_environment.this[*].webserver_url)
}
