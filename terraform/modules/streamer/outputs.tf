output "group" {
  description = "Auto Scaling group that keeps one streamer running."
  value       = aws_autoscaling_group.this.name
}

output "document" {
  description = "SSM document that controls the service."
  value       = aws_ssm_document.service.name
}
