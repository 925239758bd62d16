# The Athena workgroup: result location, scan limit per query, and named queries.

resource "aws_athena_workgroup" "this" {
  #checkov:skip=CKV_AWS_82:CTAS names its own location, which an enforced workgroup refuses; the bucket encrypts what it gets.
  name          = var.name
  force_destroy = var.force_destroy

  configuration {
    enforce_workgroup_configuration    = false
    publish_cloudwatch_metrics_enabled = true
    bytes_scanned_cutoff_per_query     = var.scan_limit_bytes

    result_configuration {
      output_location = "s3://${var.results_bucket}/"

      encryption_configuration {
        encryption_option = "SSE_S3"
      }
    }
  }
}

resource "aws_athena_named_query" "this" {
  for_each = var.queries

  name        = each.key
  description = trimprefix(split("\n", each.value)[0], "-- ")
  workgroup   = aws_athena_workgroup.this.name
  database    = var.database
  query       = each.value
}
