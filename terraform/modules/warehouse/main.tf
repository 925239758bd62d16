# The Postgres database for exported rankings: private, TLS only, with its password in Secrets Manager; and the queue in
# which S3 tells of exports (events.tf).

resource "aws_db_subnet_group" "this" {
  name       = var.name
  subnet_ids = var.subnets
}

resource "aws_security_group" "this" {
  name        = "${var.name}-warehouse"
  description = "Postgres, from within the network."
  vpc_id      = var.vpc_id
}

resource "aws_vpc_security_group_ingress_rule" "postgres" {
  security_group_id = aws_security_group.this.id
  description       = "Postgres from within the network."
  cidr_ipv4         = var.cidr
  ip_protocol       = "tcp"
  from_port         = 5432
  to_port           = 5432
}

resource "aws_db_parameter_group" "this" {
  name   = var.name
  family = "postgres${var.engine_version}"

  parameter {
    name  = "rds.force_ssl"
    value = var.require_tls ? "1" : "0"
  }
}

resource "aws_db_instance" "this" {
  #checkov:skip=CKV_AWS_118:Postgres's own metrics and Performance Insights do for tables of rankings that can be loaded again.
  #checkov:skip=CKV_AWS_157:In two zones where it is protected.
  #checkov:skip=CKV_AWS_293:Protected from deletion where data outlives a destroy.
  #checkov:skip=CKV_AWS_161:IAM tokens where TLS is required, which they need.
  #checkov:skip=CKV_AWS_354:Encrypted with the account's key for RDS.
  identifier                          = var.name
  engine                              = "postgres"
  engine_version                      = var.engine_version
  instance_class                      = var.instance_class
  allocated_storage                   = 20
  max_allocated_storage               = 100
  storage_type                        = "gp3"
  storage_encrypted                   = true
  db_name                             = "postrank"
  username                            = "postrank"
  manage_master_user_password         = true
  db_subnet_group_name                = aws_db_subnet_group.this.name
  vpc_security_group_ids              = [aws_security_group.this.id]
  parameter_group_name                = aws_db_parameter_group.this.name
  publicly_accessible                 = false
  iam_database_authentication_enabled = var.require_tls
  multi_az                            = var.protected
  deletion_protection                 = var.protected
  skip_final_snapshot                 = !var.protected
  final_snapshot_identifier           = var.protected ? "${var.name}-last" : null
  backup_retention_period             = 7
  copy_tags_to_snapshot               = true
  auto_minor_version_upgrade          = true
  performance_insights_enabled        = true
  enabled_cloudwatch_logs_exports     = ["postgresql", "upgrade"]
}
