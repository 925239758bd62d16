# The way in for people: an internal load balancer that signs them in with an OpenID Connect provider. Without one there is
# none, and Session Manager forwards a port to the api-server (docs/airflow-on-ecs.md).

locals {
  sign_in = var.airflow.sign_in == null ? {} : { this = var.airflow.sign_in }
}

resource "aws_security_group" "balancer" {
  count = length(local.sign_in)

  name        = "${local.name}-balancer"
  description = "Airflow's load balancer: HTTPS in, the api-server and the identity provider out."
  vpc_id      = var.vpc_id
}

resource "aws_vpc_security_group_ingress_rule" "readers" {
  for_each = toset(flatten([for sign_in in values(local.sign_in) : concat([var.cidr], sign_in.cidrs)]))

  security_group_id = aws_security_group.balancer[0].id
  description       = "HTTPS from a network of readers."
  cidr_ipv4         = each.key
  ip_protocol       = "tcp"
  from_port         = 443
  to_port           = 443
}

resource "aws_vpc_security_group_egress_rule" "pages" {
  count = length(local.sign_in)

  security_group_id            = aws_security_group.balancer[0].id
  description                  = "The api-server."
  referenced_security_group_id = aws_security_group.parts.id
  ip_protocol                  = "tcp"
  from_port                    = local.ui
  to_port                      = local.ui
}

resource "aws_vpc_security_group_egress_rule" "provider" {
  count = length(local.sign_in)

  security_group_id = aws_security_group.balancer[0].id
  description       = "The token endpoint of the identity provider."
  cidr_ipv4         = "0.0.0.0/0"
  ip_protocol       = "tcp"
  from_port         = 443
  to_port           = 443
}

resource "aws_vpc_security_group_ingress_rule" "pages" {
  count = length(local.sign_in)

  security_group_id            = aws_security_group.parts.id
  description                  = "The load balancer."
  referenced_security_group_id = aws_security_group.balancer[0].id
  ip_protocol                  = "tcp"
  from_port                    = local.ui
  to_port                      = local.ui
}

resource "aws_lb" "this" {
  #checkov:skip=CKV_AWS_91:Airflow's own audit log says who did what.
  #checkov:skip=CKV2_AWS_28:It is reached from within the network alone.
  count = length(local.sign_in)

  name                       = substr(local.name, 0, 32)
  internal                   = true
  load_balancer_type         = "application"
  security_groups            = [aws_security_group.balancer[0].id]
  subnets                    = var.private_subnets
  drop_invalid_header_fields = true
  enable_deletion_protection = var.protected
}

resource "aws_lb_target_group" "this" {
  #checkov:skip=CKV_AWS_378:TLS ends at the load balancer; its way to Airflow is within the network.
  count = length(local.sign_in)

  name                 = substr(local.name, 0, 32)
  port                 = local.ui
  protocol             = "HTTP"
  target_type          = "ip"
  vpc_id               = var.vpc_id
  deregistration_delay = 30

  health_check {
    path     = "/api/v2/version"
    matcher  = "200"
    interval = 15
  }
}

resource "aws_lb_listener" "https" {
  count = length(local.sign_in)

  load_balancer_arn = aws_lb.this[0].arn
  port              = 443
  protocol          = "HTTPS"
  ssl_policy        = "ELBSecurityPolicy-TLS13-1-2-2021-06"
  certificate_arn   = local.sign_in.this.certificate_arn

  default_action {
    type  = "authenticate-oidc"
    order = 1

    authenticate_oidc {
      issuer                     = local.sign_in.this.issuer
      authorization_endpoint     = local.sign_in.this.authorization_endpoint
      token_endpoint             = local.sign_in.this.token_endpoint
      user_info_endpoint         = local.sign_in.this.user_info_endpoint
      client_id                  = local.sign_in.this.client_id
      client_secret              = "set-by-modify-listener"
      scope                      = "openid email"
      on_unauthenticated_request = "authenticate"
      session_timeout            = 28800
    }
  }

  default_action {
    type             = "forward"
    order            = 2
    target_group_arn = aws_lb_target_group.this[0].arn
  }

  # Every sign-in fails until the secret of the client is set (docs/airflow-on-ecs.md). It never is in Terraform's state.
  lifecycle {
    ignore_changes = [default_action[0].authenticate_oidc[0].client_secret]
  }
}
