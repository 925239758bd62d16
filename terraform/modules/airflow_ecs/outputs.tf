output "cluster" {
  description = "Name of the ECS cluster."
  value       = aws_ecs_cluster.this.name
}

output "balancer" {
  description = "DNS name of the load balancer, which airflow_ecs.sign_in.host must point at; null without a sign-in."
  value       = one(aws_lb.this[*].dns_name)
}

output "keys" {
  description = "Names of the secrets that `postrank airflow keys` fills."
  value       = [for secret in aws_secretsmanager_secret.this : secret.name]
}
