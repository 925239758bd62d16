output "bucket" {
  description = "The state bucket, for -backend-config."
  value       = aws_s3_bucket.state.bucket
}

output "plan_role_arn" {
  description = "The role that a workflow plans as, or null without a repository."
  value       = one([for name, role in aws_iam_role.ci : role.arn if name == "plan"])
}

output "deploy_role_arns" {
  description = "The role that a workflow deploys as, by environment; empty without a repository."
  value       = { for environment in local.deployed : environment => aws_iam_role.ci["deploy-${environment}"].arn }
}

output "boundary_arns" {
  description = "The permissions boundary of the roles of an environment, for permissions_boundary, by environment."
  value       = { for environment, policy in aws_iam_policy.boundary : environment => policy.arn }
}
