# Airflow's role, an instance profile for a self-managed host, and optionally an Amazon MWAA environment (mwaa.tf).

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
