output "urls" {
  description = "URLs of the registries by image."
  value       = { for image, repository in aws_ecr_repository.this : image => repository.repository_url }
}
