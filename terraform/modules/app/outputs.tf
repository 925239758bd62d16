output "repository_url" {
  description = "URL of the registry for the app's image."
  value       = aws_ecr_repository.this.repository_url
}

output "balancer" {
  description = "DNS name of the load balancer."
  value       = aws_lb.this.dns_name
}
