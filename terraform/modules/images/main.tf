# A registry for each image: a tag never changes its image, and each push is scanned. Releases are named by digest, so that
# what one environment tried is what the next one runs.

resource "aws_ecr_repository" "this" {
  #checkov:skip=CKV_AWS_136:Images hold no data and no secret; ECR encrypts them with its own key.
  for_each = var.repositories

  name                 = each.value
  image_tag_mutability = "IMMUTABLE"
  force_delete         = var.force_destroy

  image_scanning_configuration {
    scan_on_push = true
  }
}

# Signatures and attestations are images too, so that an image counts as two or three.
resource "aws_ecr_lifecycle_policy" "this" {
  for_each = aws_ecr_repository.this

  repository = each.value.name
  policy = jsonencode({
    rules = [
      {
        rulePriority = 1
        description  = "Uploads without a tag, of builds that were stopped."
        selection    = { tagStatus = "untagged", countType = "sinceImagePushed", countUnit = "days", countNumber = var.untagged_days }
        action       = { type = "expire" }
      },
      {
        rulePriority = 2
        description  = "The newest images stay, for going back."
        selection    = { tagStatus = "any", countType = "imageCountMoreThan", countNumber = var.images }
        action       = { type = "expire" }
      },
    ]
  })
}
