# The hosts of the collectors: for each an Auto Scaling group of one that replaces itself, accessible only through Systems
# Manager, with its state on a separate volume. They share the role and the SSM documents.

locals {
  files = {
    unit      = file("${path.module}/files/postrank-streamer.service")
    host      = file("${path.module}/files/postrank-host")
    logrotate = file("${path.module}/files/logrotate")
    backfill  = file("${path.module}/files/postrank-backfill")
  }

  # The files of main as they are; another collector's service has its own name, user and state folder.
  own_files = { for name, collector in var.collectors : name => name == "main" ? local.files : merge(local.files, {
    unit = replace(local.files.unit, "StateDirectory=postrank\n", "StateDirectory=postrank-${name}\n")
    backfill = replace(replace(
      local.files.backfill, "User=postrank-streamer ", "User=${collector.service} "
    ), "StateDirectory=postrank ", "StateDirectory=postrank-${name} ")
  }) }

  user_data = { for name, collector in var.collectors : name => templatefile("${path.module}/files/cloud-init.yaml.tftpl", merge(local.own_files[name], {
    artifacts   = var.names.buckets.artifacts
    version     = var.release
    region      = var.region
    volume      = aws_ebs_volume.state[name].id
    environment = var.environment
    account     = var.account
    service     = collector.service
    config      = collector.config
    agent = templatefile("${path.module}/files/cloudwatch-agent.json.tftpl", {
      region      = var.region
      environment = var.environment
      namespace   = "${var.names.metrics_namespace}/Host"
      log_group   = aws_cloudwatch_log_group.this[name].name
    })
  })) }
}

data "aws_ssm_parameter" "image" {
  count = var.image_id == null ? 1 : 0
  name  = "/aws/service/ami-amazon-linux-latest/al2023-ami-kernel-default-arm64"
}

resource "aws_iam_role" "this" {
  name                 = var.names.roles.streamer
  assume_role_policy   = var.trust
  permissions_boundary = var.permissions_boundary
}

resource "aws_iam_role_policy" "this" {
  name   = var.names.roles.streamer
  role   = aws_iam_role.this.name
  policy = var.policy
}

resource "aws_iam_role_policy" "host" {
  name   = "${var.names.roles.streamer}-host"
  role   = aws_iam_role.this.name
  policy = var.host_policy
}

resource "aws_iam_role_policy_attachment" "ssm" {
  role       = aws_iam_role.this.name
  policy_arn = "arn:aws:iam::aws:policy/AmazonSSMManagedInstanceCore"
}

resource "aws_iam_instance_profile" "this" {
  name = var.names.streamer.name
  role = aws_iam_role.this.name
}

resource "aws_iam_role" "deployer" {
  name                 = var.names.roles.deployer
  assume_role_policy   = var.deployer_trust
  permissions_boundary = var.permissions_boundary
}

resource "aws_iam_role_policy" "deployer" {
  name   = var.names.roles.deployer
  role   = aws_iam_role.deployer.name
  policy = var.deployer_policy
}

resource "aws_cloudwatch_log_group" "this" {
  #checkov:skip=CKV_AWS_158:The streamer's events, without posts or tokens; CloudWatch encrypts them with its own key.
  #checkov:skip=CKV_AWS_338:What went wrong a month ago is in the ledgers; these lines matter for days.
  for_each = var.collectors

  name              = "/${each.value.name}"
  retention_in_days = 30
}

resource "aws_ssm_document" "release" {
  name            = var.names.streamer.release_document
  document_type   = "Command"
  document_format = "JSON"
  content         = var.release_document
}

resource "aws_ssm_document" "service" {
  name            = var.names.streamer.document
  document_type   = "Command"
  document_format = "JSON"
  content         = var.document
}

resource "aws_ssm_document" "backfill" {
  name            = var.names.streamer.backfill_document
  document_type   = "Command"
  document_format = "JSON"
  content         = var.backfill_document
}

resource "aws_ebs_volume" "state" {
  #checkov:skip=CKV_AWS_189:Encrypted with the account's key for EBS: one account, one team.
  for_each = var.collectors

  availability_zone = var.zone
  size              = each.value.state_gib
  type              = "gp3"
  encrypted         = true
  tags              = { Name = each.value.name }
}

resource "aws_launch_template" "this" {
  #checkov:skip=CKV_AWS_88:It calls out to the networks from a public subnet, which costs no NAT gateway; no rule lets anything in.
  for_each = var.collectors

  name                   = each.value.name
  image_id               = var.image_id == null ? data.aws_ssm_parameter.image[0].insecure_value : var.image_id
  instance_type          = each.value.instance_type
  user_data              = base64encode(local.user_data[each.key])
  update_default_version = true

  iam_instance_profile {
    name = aws_iam_instance_profile.this.name
  }

  metadata_options {
    http_endpoint               = "enabled"
    http_tokens                 = "required"
    http_put_response_hop_limit = 1
  }

  network_interfaces {
    associate_public_ip_address = true
    security_groups             = [var.security_group]
    delete_on_termination       = true
  }

  block_device_mappings {
    device_name = "/dev/xvda"
    ebs {
      volume_size           = 10
      volume_type           = "gp3"
      encrypted             = true
      delete_on_termination = true
    }
  }

  tag_specifications {
    resource_type = "instance"
    tags          = merge({ Name = each.value.name }, each.value.instance_tags)
  }
}

# What the DAGs are mapped over beside main (src/postrank/collectors/registry.py).
resource "aws_s3_object" "collector" {
  for_each = { for name, collector in var.collectors : name => collector if name != "main" }

  bucket       = var.names.buckets.raw
  key          = "${var.names.keys.collectors}${each.key}.json"
  content      = jsonencode({ source = each.value.source })
  content_type = "application/json"
}

resource "aws_s3_object" "no_main" {
  count = contains(keys(var.collectors), "main") ? 0 : 1

  bucket       = var.names.buckets.raw
  key          = "${var.names.keys.collectors}_no-main.json"
  content      = "{}"
  content_type = "application/json"
}

resource "aws_autoscaling_group" "this" {
  for_each = var.collectors

  name                = each.value.name
  min_size            = 1
  max_size            = 1
  desired_capacity    = 1
  vpc_zone_identifier = [var.subnet]

  tag {
    key                 = "Name"
    value               = each.value.name
    propagate_at_launch = false # the launch template names the instance
  }

  launch_template {
    id      = aws_launch_template.this[each.key].id
    version = aws_launch_template.this[each.key].latest_version
  }

  # The old instance must release the volume before the new one can attach it.
  instance_refresh {
    strategy = "Rolling"
    preferences {
      min_healthy_percentage = 0
    }
  }

  # The DAGs know a collector before it sends its first line.
  depends_on = [aws_iam_role_policy.this, aws_iam_role_policy.host, aws_s3_object.collector]
}
