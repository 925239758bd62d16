output "group" {
  description = "The group that keeps one streamer running."
  value       = aws_autoscaling_group.this.name
}

output "document" {
  description = "The SSM document that acts on the service."
  value       = aws_ssm_document.service.name
}
