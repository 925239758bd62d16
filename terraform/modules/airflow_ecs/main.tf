# Airflow on ECS Fargate: api-server, scheduler, dag-processor and triggerer as services of one image. The scheduler runs
# the tasks (LocalExecutor), most of which wait in the triggerer. containers.tf has what each service runs, metadata.tf the
# database and the keys, network.tf who may connect to whom, balancer.tf the way in for people.

locals {
  name = var.names.roles.airflow
  ui   = 8080
}

resource "aws_ecs_cluster" "this" {
  name = local.name

  setting {
    name  = "containerInsights"
    value = "enabled"
  }
}

resource "aws_cloudwatch_log_group" "this" {
  #checkov:skip=CKV_AWS_158:Airflow logs no posts; CloudWatch encrypts with its own key.
  #checkov:skip=CKV_AWS_338:Thirty days explain an outage or a run.
  for_each = { containers = "/ecs/${local.name}", tasks = "/ecs/${local.name}/tasks" }

  name              = each.value
  retention_in_days = 30
}

# What ECS itself does: it pulls the image, reads the keys, and opens log streams.
resource "aws_iam_role" "execution" {
  name                 = "${local.name}-execution"
  assume_role_policy   = var.trust
  permissions_boundary = var.permissions_boundary
}

resource "aws_iam_role_policy" "execution" {
  name   = aws_iam_role.execution.name
  role   = aws_iam_role.execution.name
  policy = var.execution_policy
}

# What Airflow's role may do on ECS beyond its work: the logs of tasks, and sessions of Session Manager.
resource "aws_iam_role_policy" "tasks" {
  name   = "${local.name}-ecs"
  role   = local.name
  policy = var.policy
}

resource "aws_ecs_task_definition" "this" {
  for_each = local.services

  family                   = "${local.name}-${each.key}"
  requires_compatibilities = ["FARGATE"]
  network_mode             = "awsvpc"
  cpu                      = each.value.cpu
  memory                   = each.value.memory
  execution_role_arn       = aws_iam_role.execution.arn
  task_role_arn            = var.role_arn

  runtime_platform {
    operating_system_family = "LINUX"
    cpu_architecture        = "ARM64"
  }

  # Airflow writes its configuration and its logs below its home. The image declares both folders with their owners.
  dynamic "volume" {
    for_each = local.scratch
    content {
      name = volume.key
    }
  }

  container_definitions = jsonencode(concat(each.value.before, [each.value.container]))
}

resource "aws_ecs_service" "this" {
  #checkov:skip=CKV_AWS_333:In a public subnet for its way out; no rule lets anything outside the network connect to it.
  for_each = local.services

  name                   = each.key
  cluster                = aws_ecs_cluster.this.id
  task_definition        = aws_ecs_task_definition.this[each.key].arn
  desired_count          = 1
  launch_type            = "FARGATE"
  platform_version       = "LATEST"
  enable_execute_command = each.value.sessions

  # The scheduler migrates the database: the old one ends first. The others overlap.
  deployment_minimum_healthy_percent = each.value.alone ? 0 : 100
  deployment_maximum_percent         = each.value.alone ? 100 : 200

  # The api-server waits for the migration before it answers the load balancer.
  health_check_grace_period_seconds = each.key == "api-server" && var.airflow.sign_in != null ? 900 : null

  deployment_circuit_breaker {
    enable   = true
    rollback = true
  }

  network_configuration {
    subnets          = var.task_subnets
    security_groups  = [aws_security_group.parts.id]
    assign_public_ip = true
  }

  dynamic "service_registries" {
    for_each = each.key == "api-server" ? [aws_service_discovery_service.api.arn] : []
    content {
      registry_arn = service_registries.value
    }
  }

  dynamic "load_balancer" {
    for_each = each.key == "api-server" ? aws_lb_target_group.this[*].arn : []
    content {
      target_group_arn = load_balancer.value
      container_name   = "api-server"
      container_port   = local.ui
    }
  }

  depends_on = [aws_iam_role_policy.execution, aws_iam_role_policy.tasks, aws_lb_listener.https]
}
