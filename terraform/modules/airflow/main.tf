# What Airflow runs as and from: its role, an instance profile for a host of its own, and the registry of its image.

resource "aws_iam_role" "this" {
  name               = var.names.roles.airflow
  assume_role_policy = var.trust
}

resource "aws_iam_role_policy" "this" {
  name   = var.names.roles.airflow
  role   = aws_iam_role.this.name
  policy = var.policy
}

resource "aws_iam_instance_profile" "this" {
  name = var.names.roles.airflow
  role = aws_iam_role.this.name
}

resource "aws_ecr_repository" "this" {
  name                 = var.names.roles.airflow
  image_tag_mutability = "IMMUTABLE"
  force_delete         = var.force_destroy

  image_scanning_configuration {
    scan_on_push = true
  }
}
