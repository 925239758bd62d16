# What each service runs. Every AIRFLOW__SECTION__KEY here is one that Airflow describes, and every command one that it has:
# tests/system/airflow/test_airflow_on_ecs.py compares the plan with the installed Airflow.

locals {
  execution_api = "http://api-server.${aws_service_discovery_private_dns_namespace.this.name}:${local.ui}/execution/"
  base_url      = var.airflow.sign_in == null ? "http://127.0.0.1:${local.ui}" : "https://${var.airflow.sign_in.host}"

  environment = {
    # The image's entrypoint takes bash, python and Airflow's commands. Before any of them it would wait for a database whose
    # role the scheduler's task makes first; the commands below wait themselves.
    CONNECTION_CHECK_MAX_COUNT = "0"

    AIRFLOW_HOME                    = "/opt/airflow/home"
    AIRFLOW__CORE__DAGS_FOLDER      = "/opt/airflow/dags"
    AIRFLOW__CORE__PLUGINS_FOLDER   = "/opt/airflow/plugins"
    AIRFLOW__CORE__EXECUTOR         = "LocalExecutor"
    AIRFLOW__CORE__PARALLELISM      = tostring(var.airflow.parallelism)
    AIRFLOW__CORE__LOAD_EXAMPLES    = "False"
    AIRFLOW__CORE__DEFAULT_TIMEZONE = "utc"
    # Who may open the page is decided before Airflow: by the load balancer's sign-in, or by IAM for a session.
    AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_ALL_ADMINS = "True"
    AIRFLOW__CORE__EXECUTION_API_SERVER_URL       = local.execution_api
    AIRFLOW__API__BASE_URL                        = local.base_url
    AIRFLOW__WORKERS__EXECUTION_API_TIMEOUT       = "60"
    AIRFLOW__WORKERS__EXECUTION_API_RETRIES       = "20"

    # libpq and asyncpg read the password and how to verify the server from the environment.
    AIRFLOW__DATABASE__SQL_ALCHEMY_CONN = "postgresql+psycopg2://${local.metadata_user}@${aws_db_instance.this.endpoint}/${local.metadata_user}"
    PGSSLMODE                           = var.require_tls ? "verify-full" : "disable"
    PGSSLROOTCERT                       = "/etc/postrank/rds.pem"

    AIRFLOW__SECRETS__BACKEND        = "airflow.providers.amazon.aws.secrets.secrets_manager.SecretsManagerBackend"
    AIRFLOW__SECRETS__BACKEND_KWARGS = var.secrets_backend_kwargs

    AIRFLOW__LOGGING__REMOTE_LOGGING         = "True"
    AIRFLOW__LOGGING__REMOTE_LOG_CONN_ID     = "aws_default"
    AIRFLOW__LOGGING__REMOTE_BASE_LOG_FOLDER = "cloudwatch://${aws_cloudwatch_log_group.this["tasks"].arn}"
    AIRFLOW__LOGGING__UVICORN_LOGGING_LEVEL  = "WARNING"

    AIRFLOW_CONN_AWS_DEFAULT = jsonencode({ conn_type = "aws", extra = { region_name = var.region } })
    AWS_REGION               = var.region
    POSTRANK_ENVIRONMENT     = var.environment
    POSTRANK_ACCOUNT         = var.account
    POSTRANK_WAREHOUSE_QUEUE = var.warehouse_queue
  }

  secrets = {
    AIRFLOW__CORE__FERNET_KEY     = aws_secretsmanager_secret.this["fernet-key"].arn
    AIRFLOW__API__SECRET_KEY      = aws_secretsmanager_secret.this["secret-key"].arn
    AIRFLOW__API_AUTH__JWT_SECRET = aws_secretsmanager_secret.this["jwt-secret"].arn
    PGPASSWORD                    = aws_secretsmanager_secret.this["metadata-password"].arn
  }

  # The folders that stay writable on a root that is not.
  scratch = { home = "/opt/airflow/home", tmp = "/tmp" }

  # Airflow's role in the database may not exist yet, nor its tables, when the others start.
  migrated = "airflow db check --retry 40 --retry-delay 10 && airflow db check-migrations --migration-wait-timeout 600"
  alive    = "airflow jobs check --local --job-type"

  programs = {
    api-server = {
      cpu     = 512
      memory  = 2048
      command = "${local.migrated} && exec airflow api-server --port ${local.ui}${var.airflow.sign_in == null ? "" : " --proxy-headers"}"
      health  = "curl --fail --silent http://127.0.0.1:${local.ui}/execution/health"
    }
    # An init container may take two minutes at most on Fargate ("startTimeout"), which a migration can exceed.
    scheduler = {
      cpu     = var.airflow.scheduler.cpu
      memory  = var.airflow.scheduler.memory
      command = "airflow db migrate && airflow pools import /opt/airflow/include/pools.json && exec airflow scheduler"
      health  = "${local.alive} SchedulerJob"
    }
    dag-processor = {
      cpu     = 512
      memory  = 2048
      command = "${local.migrated} && exec airflow dag-processor"
      health  = "${local.alive} DagProcessorJob"
    }
    triggerer = {
      cpu     = 512
      memory  = 1024
      command = "${local.migrated} && exec airflow triggerer"
      health  = "${local.alive} TriggererJob"
    }
  }

  container = {
    image           = var.image
    user            = "50000:0"
    linuxParameters = { initProcessEnabled = true }
    mountPoints     = [for name, path in local.scratch : { sourceVolume = name, containerPath = path, readOnly = false }]
  }

  # Makes the database's role of Airflow before the scheduler starts: alone with the master's password, which RDS rotates.
  database_role = merge(local.container, {
    name                   = "database-role"
    essential              = false
    readonlyRootFilesystem = true
    startTimeout           = 120
    command                = ["bash", "-c", "exec postrank airflow database"]
    environment = [
      for name, value in {
        CONNECTION_CHECK_MAX_COUNT = "0"
        PGHOST                     = aws_db_instance.this.address
        PGPORT                     = tostring(aws_db_instance.this.port)
        PGDATABASE                 = local.metadata_user
        PGSSLMODE                  = local.environment.PGSSLMODE
        PGSSLROOTCERT              = local.environment.PGSSLROOTCERT
      } : { name = name, value = value }
    ]
    secrets = [
      for name, arn in {
        PGUSER                     = "${aws_db_instance.this.master_user_secret[0].secret_arn}:username::"
        PGPASSWORD                 = "${aws_db_instance.this.master_user_secret[0].secret_arn}:password::"
        POSTRANK_METADATA_PASSWORD = aws_secretsmanager_secret.this["metadata-password"].arn
      } : { name = name, valueFrom = arn }
    ]
    logConfiguration = merge(local.log, { options = merge(local.log.options, { awslogs-stream-prefix = "database-role" }) })
  })

  log = {
    logDriver = "awslogs"
    options = {
      awslogs-group  = aws_cloudwatch_log_group.this["containers"].name
      awslogs-region = var.region
    }
  }

  # Session Manager's agent writes to the root of the container that a session leads to.
  sessions = var.airflow.sign_in == null ? "api-server" : ""

  services = {
    for name, program in local.programs : name => {
      cpu      = program.cpu
      memory   = program.memory
      alone    = name == "scheduler"
      sessions = name == local.sessions
      before   = name == "scheduler" ? [local.database_role] : []
      container = merge(local.container, {
        name                   = name
        essential              = true
        readonlyRootFilesystem = name != local.sessions
        stopTimeout            = 120
        command                = ["bash", "-c", program.command]
        environment = [
          for variable, value in merge(local.environment, name == "api-server" && var.airflow.sign_in != null ? { FORWARDED_ALLOW_IPS = "*" } : {}) :
          { name = variable, value = value }
        ]
        secrets      = [for variable, arn in local.secrets : { name = variable, valueFrom = arn }]
        dependsOn    = name == "scheduler" ? [{ containerName = "database-role", condition = "SUCCESS" }] : []
        portMappings = name == "api-server" ? [{ containerPort = local.ui, hostPort = local.ui, protocol = "tcp" }] : []
        healthCheck = {
          command     = ["CMD-SHELL", program.health]
          interval    = 60
          timeout     = 45
          retries     = 5
          startPeriod = 300
        }
        logConfiguration = merge(local.log, { options = merge(local.log.options, { awslogs-stream-prefix = name }) })
      })
    }
  }
}
