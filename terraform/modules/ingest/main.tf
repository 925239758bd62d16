# The two streams, and the delivery streams that write them to the raw bucket by arrival hour.

locals {
  on_demand = var.shards == 0
}

resource "aws_kinesis_stream" "this" {
  for_each = var.names.streams

  name             = each.value
  shard_count      = local.on_demand ? null : var.shards
  retention_period = var.retention_hours
  encryption_type  = "KMS"
  kms_key_id       = "alias/aws/kinesis"

  stream_mode_details {
    stream_mode = local.on_demand ? "ON_DEMAND" : "PROVISIONED"
  }
}

resource "aws_iam_role" "firehose" {
  name                 = var.names.roles.firehose
  assume_role_policy   = var.trust
  permissions_boundary = var.permissions_boundary
}

resource "aws_iam_role_policy" "firehose" {
  name   = var.names.roles.firehose
  role   = aws_iam_role.firehose.name
  policy = var.policy
}

resource "aws_cloudwatch_log_group" "delivery" {
  #checkov:skip=CKV_AWS_158:Errors of delivery, without records; CloudWatch encrypts them with its own key.
  #checkov:skip=CKV_AWS_338:The records of a failed delivery lie in the error prefix; its messages matter for days.
  for_each = var.names.delivery_streams

  name              = "/aws/kinesisfirehose/${each.value}"
  retention_in_days = 30
}

resource "aws_cloudwatch_log_stream" "delivery" {
  for_each = aws_cloudwatch_log_group.delivery

  name           = "S3Delivery"
  log_group_name = each.value.name
}

resource "aws_kinesis_firehose_delivery_stream" "this" {
  for_each = var.names.delivery_streams

  name        = each.value
  destination = "extended_s3"

  kinesis_source_configuration {
    kinesis_stream_arn = aws_kinesis_stream.this[each.key].arn
    role_arn           = aws_iam_role.firehose.arn
  }

  extended_s3_configuration {
    role_arn            = aws_iam_role.firehose.arn
    bucket_arn          = var.raw_bucket_arn
    prefix              = var.delivery[each.key].prefix
    error_output_prefix = var.delivery[each.key].error_prefix
    buffering_size      = var.buffer_mib
    buffering_interval  = var.buffer_seconds
    compression_format  = "GZIP"
    file_extension      = ".ndjson.gz"

    cloudwatch_logging_options {
      enabled         = true
      log_group_name  = aws_cloudwatch_log_group.delivery[each.key].name
      log_stream_name = aws_cloudwatch_log_stream.delivery[each.key].name
    }
  }

  depends_on = [aws_iam_role_policy.firehose]
}
