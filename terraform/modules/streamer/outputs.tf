output "groups" {
  description = "Auto Scaling groups that keep one streamer running each, by collector."
  value       = { for name, group in aws_autoscaling_group.this : name => group.name }
}

output "document" {
  description = "SSM document that controls the services."
  value       = aws_ssm_document.service.name
}
