# The Spark job that counts windows of the stream: an EMR Serverless application, the job's role, a bucket for its
# progress and logs, and what Airflow needs to operate it; optionally a Kafka cluster (msk.tf).

resource "aws_emrserverless_application" "this" {
  name          = var.names.spark.application
  release_label = var.release_label
  type          = "spark"
  architecture  = "ARM64"

  maximum_capacity {
    cpu    = "${var.max_vcpus} vCPU"
    memory = "${4 * var.max_vcpus} GB"
  }

  auto_start_configuration {
    enabled = true
  }

  auto_stop_configuration {
    enabled              = true
    idle_timeout_minutes = 15
  }
}

resource "aws_iam_role" "job" {
  name                 = var.names.spark.role
  assume_role_policy   = var.trust
  permissions_boundary = var.permissions_boundary
}

resource "aws_iam_role_policy" "job" {
  name   = var.names.spark.role
  role   = aws_iam_role.job.name
  policy = var.policy
}

resource "aws_iam_role_policy" "airflow" {
  name   = var.names.spark.role
  role   = var.airflow_role
  policy = var.airflow_policy
}

resource "aws_s3_bucket" "this" {
  #checkov:skip=CKV_AWS_18:Checkpoints are the job's alone; CloudTrail tells who read them.
  #checkov:skip=CKV_AWS_21:Checkpoints are written and removed every few seconds; an old version is of no use.
  #checkov:skip=CKV_AWS_144:The windows can be counted again from the stream and the lake.
  #checkov:skip=CKV_AWS_145:SSE-S3. A key of one's own would be paid for by each of the many small objects.
  #checkov:skip=CKV2_AWS_62:Nothing waits for these objects.
  bucket        = var.names.spark.bucket
  force_destroy = true
}

resource "aws_s3_bucket_public_access_block" "this" {
  bucket                  = aws_s3_bucket.this.id
  block_public_acls       = true
  block_public_policy     = true
  ignore_public_acls      = true
  restrict_public_buckets = true
}

resource "aws_s3_bucket_server_side_encryption_configuration" "this" {
  bucket = aws_s3_bucket.this.id
  rule {
    apply_server_side_encryption_by_default {
      sse_algorithm = "AES256"
    }
  }
}

resource "aws_s3_bucket_lifecycle_configuration" "this" {
  bucket = aws_s3_bucket.this.id

  rule {
    id     = "expire-logs"
    status = "Enabled"
    filter {
      prefix = "logs/"
    }
    expiration {
      days = 14
    }
  }

  rule {
    id     = "forget-broken-uploads"
    status = "Enabled"
    filter {}
    abort_incomplete_multipart_upload {
      days_after_initiation = 7
    }
  }
}
