output "bucket" {
  description = "The state bucket, for -backend-config."
  value       = aws_s3_bucket.state.bucket
}

output "plan_role_arn" {
  description = "The role that a workflow plans as, or null without a repository."
  value       = one([for name, role in aws_iam_role.ci : role.arn if name == "plan"])
}

output "deploy_role_arn" {
  description = "The role that a workflow deploys as, or null without a repository."
  value       = one([for name, role in aws_iam_role.ci : role.arn if name == "deploy"])
}
