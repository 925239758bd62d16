# Airflow's metadata on Postgres: private, TLS only. RDS keeps the master's password and rotates it; only the container that
# makes Airflow's own role reads it. The keys are created empty, and `postrank airflow keys` fills them: no value is ever in
# Terraform's state.

locals {
  metadata_user = "airflow"
  keys = {
    fernet-key        = "Encrypts what Airflow stores in its database."
    secret-key        = "Signs the sessions of Airflow's pages."
    jwt-secret        = "Signs the tokens between Airflow's parts."
    metadata-password = "Password of Airflow's role in its database."
  }
}

resource "aws_secretsmanager_secret" "this" {
  #checkov:skip=CKV_AWS_149:Encrypted with the account's key for Secrets Manager: one account, one team.
  #checkov:skip=CKV2_AWS_57:A new key needs new tasks; `postrank airflow keys --renew` and a deployment go together.
  for_each = local.keys

  name                    = "${local.name}/${each.key}"
  description             = each.value
  recovery_window_in_days = var.protected ? 30 : 0
}

resource "aws_db_subnet_group" "this" {
  name       = local.name
  subnet_ids = var.private_subnets
}

resource "aws_db_parameter_group" "this" {
  name   = local.name
  family = "postgres${var.airflow.database_version}"

  parameter {
    name  = "rds.force_ssl"
    value = var.require_tls ? "1" : "0"
  }
}

resource "aws_db_instance" "this" {
  #checkov:skip=CKV_AWS_118:Postgres's own metrics and Performance Insights do for the state of a few runs an hour.
  #checkov:skip=CKV_AWS_157:In two zones where it is protected.
  #checkov:skip=CKV_AWS_293:Protected from deletion where data outlives a destroy.
  #checkov:skip=CKV_AWS_161:Airflow's pool keeps one password for its connections; a token of IAM ends after 15 minutes.
  #checkov:skip=CKV_AWS_354:Encrypted with the account's key for RDS.
  identifier                      = local.name
  engine                          = "postgres"
  engine_version                  = var.airflow.database_version
  instance_class                  = var.airflow.database_class
  allocated_storage               = 20
  max_allocated_storage           = 100
  storage_type                    = "gp3"
  storage_encrypted               = true
  db_name                         = local.metadata_user
  username                        = "postrank"
  manage_master_user_password     = true
  db_subnet_group_name            = aws_db_subnet_group.this.name
  vpc_security_group_ids          = [aws_security_group.metadata.id]
  parameter_group_name            = aws_db_parameter_group.this.name
  publicly_accessible             = false
  multi_az                        = var.protected
  deletion_protection             = var.protected
  skip_final_snapshot             = !var.protected
  final_snapshot_identifier       = var.protected ? "${local.name}-last" : null
  backup_retention_period         = 7
  copy_tags_to_snapshot           = true
  auto_minor_version_upgrade      = true
  performance_insights_enabled    = true
  enabled_cloudwatch_logs_exports = ["postgresql", "upgrade"]
}
