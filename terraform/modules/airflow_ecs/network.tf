# Who may connect to whom: the parts of Airflow to the api-server and to Postgres, the load balancer to the api-server.

resource "aws_service_discovery_private_dns_namespace" "this" {
  name = "${local.name}.internal"
  vpc  = var.vpc_id
}

# Tasks and the other parts find the Execution API by this name.
resource "aws_service_discovery_service" "api" {
  name = "api-server"

  dns_config {
    namespace_id   = aws_service_discovery_private_dns_namespace.this.id
    routing_policy = "MULTIVALUE"

    dns_records {
      ttl  = 10
      type = "A"
    }
  }
}

resource "aws_security_group" "parts" {
  name        = "${local.name}-parts"
  description = "Airflow: its parts and the load balancer in; its parts, Postgres and HTTPS out."
  vpc_id      = var.vpc_id
}

resource "aws_vpc_security_group_ingress_rule" "api" {
  security_group_id            = aws_security_group.parts.id
  description                  = "The Execution API, from Airflow's parts."
  referenced_security_group_id = aws_security_group.parts.id
  ip_protocol                  = "tcp"
  from_port                    = local.ui
  to_port                      = local.ui
}

resource "aws_vpc_security_group_egress_rule" "api" {
  security_group_id            = aws_security_group.parts.id
  description                  = "The Execution API."
  referenced_security_group_id = aws_security_group.parts.id
  ip_protocol                  = "tcp"
  from_port                    = local.ui
  to_port                      = local.ui
}

resource "aws_vpc_security_group_egress_rule" "postgres" {
  security_group_id = aws_security_group.parts.id
  description       = "The metadata and the warehouse, within the network."
  cidr_ipv4         = var.cidr
  ip_protocol       = "tcp"
  from_port         = 5432
  to_port           = 5432
}

resource "aws_vpc_security_group_egress_rule" "https" {
  security_group_id = aws_security_group.parts.id
  description       = "AWS, X and webhooks, over TLS."
  cidr_ipv4         = "0.0.0.0/0"
  ip_protocol       = "tcp"
  from_port         = 443
  to_port           = 443
}

resource "aws_security_group" "metadata" {
  name        = "${local.name}-metadata"
  description = "Postgres, from Airflow's parts."
  vpc_id      = var.vpc_id
}

resource "aws_vpc_security_group_ingress_rule" "metadata" {
  security_group_id            = aws_security_group.metadata.id
  description                  = "Postgres, from Airflow's parts."
  referenced_security_group_id = aws_security_group.parts.id
  ip_protocol                  = "tcp"
  from_port                    = 5432
  to_port                      = 5432
}
