# Airflow's role, an instance profile for a self-managed host, the registry for its image, and optionally an Amazon MWAA
# environment (mwaa.tf).

resource "aws_iam_role" "this" {
  name                 = var.names.roles.airflow
  assume_role_policy   = var.mwaa == null ? var.trust : var.mwaa_trust
  permissions_boundary = var.permissions_boundary
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
  #checkov:skip=CKV_AWS_136:The image holds no data and no secret; ECR encrypts it with its own key.
  name                 = var.names.roles.airflow
  image_tag_mutability = "IMMUTABLE"
  force_delete         = var.force_destroy

  image_scanning_configuration {
    scan_on_push = true
  }
}
