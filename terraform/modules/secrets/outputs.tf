output "secrets" {
  description = "Names of the secrets by purpose."
  value       = { for purpose, secret in aws_secretsmanager_secret.this : purpose => secret.name }
}
