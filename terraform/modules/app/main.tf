# The app and `postrank live` on ECS Fargate, with their roles and logs; load_balancer.tf has the way in.

resource "aws_cloudwatch_log_group" "this" {
  #checkov:skip=CKV_AWS_158:The app logs no posts; CloudWatch encrypts with its own key.
  #checkov:skip=CKV_AWS_338:Thirty days explain an outage.
  name              = "/ecs/${var.names.roles.app}"
  retention_in_days = 30
}

resource "aws_ecs_cluster" "this" {
  name = var.names.roles.app

  setting {
    name  = "containerInsights"
    value = "enabled"
  }
}

locals {
  execution_role = "${var.names.roles.app}-execution"
  roles = {
    (var.names.roles.app)  = var.policy
    (var.names.roles.live) = var.live_policy
    (local.execution_role) = var.execution_policy
  }

  # What differs between the two programs of the image.
  programs = merge(
    {
      app = {
        role        = var.names.roles.app
        user        = "postrank_reader"
        entry_point = null
        command     = null
        cpu         = var.app.cpu
        memory      = var.app.memory
        environment = { STREAMLIT_SERVER_ADDRESS = "0.0.0.0", STREAMLIT_BROWSER_SERVER_ADDRESS = var.app.host }
      }
    },
    var.app.live ? {
      live = {
        role        = var.names.roles.live
        user        = "postrank_owner"
        entry_point = ["postrank"]
        command     = ["live", "--log-level", "WARNING"]
        cpu         = 256
        memory      = 512
        environment = {}
      }
    } : {},
  )

  warehouse = {
    POSTRANK_ENVIRONMENT                = var.environment
    POSTRANK_ACCOUNT                    = var.account
    AWS_REGION                          = var.region
    POSTRANK_WAREHOUSE_HOST             = var.warehouse
    POSTRANK_WAREHOUSE_IAM              = "1"
    POSTRANK_WAREHOUSE_ROOT_CERTIFICATE = "/etc/postrank/rds.pem"
  }
}

resource "aws_iam_role" "this" {
  for_each = local.roles

  name                 = each.key
  assume_role_policy   = var.trust
  permissions_boundary = var.permissions_boundary
}

resource "aws_iam_role_policy" "this" {
  for_each = local.roles

  name   = each.key
  role   = aws_iam_role.this[each.key].name
  policy = each.value
}

resource "aws_ecs_task_definition" "this" {
  for_each = local.programs

  family                   = "${var.names.roles.app}-${each.key}"
  requires_compatibilities = ["FARGATE"]
  network_mode             = "awsvpc"
  cpu                      = each.value.cpu
  memory                   = each.value.memory
  execution_role_arn       = aws_iam_role.this[local.execution_role].arn
  task_role_arn            = aws_iam_role.this[each.value.role].arn

  runtime_platform {
    operating_system_family = "LINUX"
    cpu_architecture        = "ARM64"
  }

  # Streamlit keeps its machine id, and Python its caches, in the home folder.
  volume {
    name = "scratch"
  }

  container_definitions = jsonencode([merge(
    {
      name                   = each.key
      image                  = var.image
      essential              = true
      user                   = "10001"
      readonlyRootFilesystem = true
      linuxParameters        = { initProcessEnabled = true }
      environment = [
        for name, value in merge(local.warehouse, each.value.environment, { POSTRANK_WAREHOUSE_USER = each.value.user, HOME = "/scratch" }) :
        { name = name, value = value }
      ]
      mountPoints = [
        { sourceVolume = "scratch", containerPath = "/scratch", readOnly = false },
        { sourceVolume = "scratch", containerPath = "/tmp", readOnly = false },
      ]
      portMappings = each.key == "app" ? [{ containerPort = 8501, hostPort = 8501, protocol = "tcp" }] : []
      logConfiguration = {
        logDriver = "awslogs"
        options = {
          awslogs-group         = aws_cloudwatch_log_group.this.name
          awslogs-region        = var.region
          awslogs-stream-prefix = each.key
        }
      }
    },
    each.value.entry_point == null ? {} : { entryPoint = each.value.entry_point },
    each.value.command == null ? {} : { command = each.value.command },
  )])
}

resource "aws_ecs_service" "this" {
  #checkov:skip=CKV_AWS_333:In a public subnet for its way out; nothing but the load balancer may connect to it.
  for_each = local.programs

  name                               = each.key
  cluster                            = aws_ecs_cluster.this.id
  task_definition                    = aws_ecs_task_definition.this[each.key].arn
  desired_count                      = 1
  launch_type                        = "FARGATE"
  platform_version                   = "LATEST"
  deployment_minimum_healthy_percent = 100
  deployment_maximum_percent         = 200

  deployment_circuit_breaker {
    enable   = true
    rollback = true
  }

  network_configuration {
    subnets          = var.task_subnets
    security_groups  = [aws_security_group.tasks.id]
    assign_public_ip = true
  }

  dynamic "load_balancer" {
    for_each = each.key == "app" ? [aws_lb_target_group.this.arn] : []
    content {
      target_group_arn = load_balancer.value
      container_name   = "app"
      container_port   = 8501
    }
  }

  depends_on = [aws_iam_role_policy.this, aws_lb_listener.https]
}
