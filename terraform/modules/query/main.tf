# The Athena workgroup: where results go, and how much one query may scan.

resource "aws_athena_workgroup" "this" {
  name          = var.name
  force_destroy = var.force_destroy

  configuration {
    # CTAS names its own location (the prefix of an attempt), which an enforced workgroup refuses.
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
