# Amazon Managed Workflows for Apache Airflow, from the release that `postrank deploy dags --mwaa` copies.

resource "aws_iam_role_policy" "mwaa" {
  count = var.mwaa == null ? 0 : 1

  name   = "${var.names.roles.airflow}-mwaa"
  role   = aws_iam_role.this.name
  policy = var.mwaa_policy
}

resource "aws_security_group" "mwaa" {
  count = var.mwaa == null ? 0 : 1

  name        = "${var.names.roles.airflow}-mwaa"
  description = "Airflow's parts among themselves, and HTTPS out."
  vpc_id      = var.vpc_id
}

resource "aws_vpc_security_group_ingress_rule" "mwaa" {
  count = var.mwaa == null ? 0 : 1

  security_group_id            = aws_security_group.mwaa[0].id
  description                  = "Airflow's parts among themselves."
  referenced_security_group_id = aws_security_group.mwaa[0].id
  ip_protocol                  = "-1"
}

resource "aws_vpc_security_group_egress_rule" "mwaa" {
  #checkov:skip=CKV_AWS_382:Its own parts, AWS and the database of AWS's account behind an endpoint, whose ports are AWS's to choose.
  count = var.mwaa == null ? 0 : 1

  security_group_id = aws_security_group.mwaa[0].id
  description       = "Its own parts, the warehouse, and AWS."
  cidr_ipv4         = "0.0.0.0/0"
  ip_protocol       = "-1"
}

resource "aws_mwaa_environment" "this" {
  #checkov:skip=CKV2_AWS_66:Its page is behind the account's sign-in; a private one would need a VPN, which is not ours to choose.
  count = var.mwaa == null ? 0 : 1

  name                   = var.names.roles.airflow
  airflow_version        = var.mwaa.version
  environment_class      = var.mwaa.class
  min_workers            = 1
  max_workers            = var.mwaa.max_workers
  execution_role_arn     = aws_iam_role.this.arn
  source_bucket_arn      = var.artifacts_bucket_arn
  dag_s3_path            = "dags"
  plugins_s3_path        = "plugins.zip"
  requirements_s3_path   = "requirements.txt"
  startup_script_s3_path = "startup.sh"
  webserver_access_mode  = "PUBLIC_ONLY"
  airflow_configuration_options = {
    "secrets.backend"        = "airflow.providers.amazon.aws.secrets.secrets_manager.SecretsManagerBackend"
    "secrets.backend_kwargs" = var.secrets_backend_kwargs
    "core.default_timezone"  = "utc"
  }

  logging_configuration {
    dag_processing_logs {
      enabled   = true
      log_level = var.mwaa.log_level
    }
    scheduler_logs {
      enabled   = true
      log_level = var.mwaa.log_level
    }
    task_logs {
      enabled   = true
      log_level = "INFO"
    }
    webserver_logs {
      enabled   = true
      log_level = var.mwaa.log_level
    }
    worker_logs {
      enabled   = true
      log_level = var.mwaa.log_level
    }
  }

  network_configuration {
    security_group_ids = [aws_security_group.mwaa[0].id]
    subnet_ids         = slice(var.subnets, 0, 2)
  }

  depends_on = [aws_iam_role_policy.this, aws_iam_role_policy.mwaa]
}
