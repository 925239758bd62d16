# Kafka as the stream: an MSK Serverless cluster with IAM as its only way in.

resource "aws_security_group" "kafka" {
  #checkov:skip=CKV2_AWS_5:The cluster below uses it; the check does not look into MSK Serverless.
  count = var.kafka ? 1 : 0

  name        = "${var.names.spark.application}-kafka"
  description = "Kafka with IAM, from within the network."
  vpc_id      = var.vpc_id
}

resource "aws_vpc_security_group_ingress_rule" "kafka" {
  count = var.kafka ? 1 : 0

  security_group_id = aws_security_group.kafka[0].id
  description       = "Kafka with IAM, from within the network."
  cidr_ipv4         = var.cidr
  ip_protocol       = "tcp"
  from_port         = 9098
  to_port           = 9098
}

resource "aws_msk_serverless_cluster" "this" {
  count = var.kafka ? 1 : 0

  cluster_name = var.names.spark.application

  vpc_config {
    subnet_ids         = var.subnets
    security_group_ids = [aws_security_group.kafka[0].id]
  }

  client_authentication {
    sasl {
      iam {
        enabled = true
      }
    }
  }
}

resource "aws_iam_role_policy" "kafka" {
  for_each = var.kafka ? { spark = aws_iam_role.job.name, streamer = var.streamer_role } : {}

  name   = "${each.value}-kafka"
  role   = each.value
  policy = var.kafka_policy
}
