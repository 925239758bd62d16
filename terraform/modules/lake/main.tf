# The buckets, the Glue database and its tables, and the crawler that adds partitions to the raw tables.

locals {
  # By bucket: retention in days per prefix. maintain_lake removes what lifecycle rules cannot express.
  expiry_days = {
    raw = {
      "raw/"             = var.retention_days.raw
      "errors/"          = var.retention_days.errors
      "ledgers/rejects/" = var.retention_days.raw
    }
    query_results = { "" = var.retention_days.query_results }
  }
  versioned = toset(["results", "artifacts"])

  formats = {
    json = {
      input      = "org.apache.hadoop.mapred.TextInputFormat"
      output     = "org.apache.hadoop.hive.ql.io.HiveIgnoreKeyTextOutputFormat"
      serde      = "org.openx.data.jsonserde.JsonSerDe"
      parameters = { "ignore.malformed.json" = "true" }
    }
    parquet = {
      input      = "org.apache.hadoop.hive.ql.io.parquet.MapredParquetInputFormat"
      output     = "org.apache.hadoop.hive.ql.io.parquet.MapredParquetOutputFormat"
      serde      = "org.apache.hadoop.hive.ql.io.parquet.serde.ParquetHiveSerDe"
      parameters = { "serialization.format" = "1" }
    }
  }
}

resource "aws_s3_bucket" "this" {
  #checkov:skip=CKV_AWS_18:Who read what is CloudTrail's to say; access logs would be one more store of addresses.
  #checkov:skip=CKV_AWS_21:Results and artifacts are versioned; a deleted post must not live on as an old version of a raw or lake object.
  #checkov:skip=CKV_AWS_144:Raw posts expire, the rest is computed from them: a second region would hold a copy to redact.
  #checkov:skip=CKV_AWS_145:SSE-S3. A key of one's own would be paid for by each object that Firehose and Athena touch, and separate no duties here.
  #checkov:skip=CKV2_AWS_62:Airflow's intervals drive what happens next, not events of objects.
  for_each = var.names.buckets

  bucket        = each.value
  force_destroy = var.force_destroy
}

resource "aws_s3_bucket_public_access_block" "this" {
  for_each = aws_s3_bucket.this

  bucket                  = each.value.id
  block_public_acls       = true
  block_public_policy     = true
  ignore_public_acls      = true
  restrict_public_buckets = true
}

resource "aws_s3_bucket_server_side_encryption_configuration" "this" {
  for_each = aws_s3_bucket.this

  bucket = each.value.id
  rule {
    apply_server_side_encryption_by_default {
      sse_algorithm = "AES256"
    }
  }
}

resource "aws_s3_bucket_versioning" "this" {
  for_each = local.versioned

  bucket = aws_s3_bucket.this[each.key].id
  versioning_configuration {
    status = "Enabled"
  }
}

resource "aws_s3_bucket_lifecycle_configuration" "this" {
  for_each = aws_s3_bucket.this

  bucket = each.value.id

  rule {
    id     = "forget-broken-uploads"
    status = "Enabled"
    filter {}
    abort_incomplete_multipart_upload {
      days_after_initiation = 7
    }
  }

  dynamic "rule" {
    for_each = try(local.expiry_days[each.key], {})
    content {
      id     = "expire${rule.key == "" ? "" : "-${replace(trimsuffix(rule.key, "/"), "/", "-")}"}"
      status = "Enabled"
      filter {
        prefix = rule.key
      }
      expiration {
        days = rule.value
      }
    }
  }

  dynamic "rule" {
    for_each = contains(local.versioned, each.key) ? [var.retention_days.overwritten] : []
    content {
      id     = "expire-old-versions"
      status = "Enabled"
      filter {}
      noncurrent_version_expiration {
        noncurrent_days = rule.value
      }
    }
  }

  depends_on = [aws_s3_bucket_versioning.this]
}

resource "aws_s3_bucket_policy" "tls_only" {
  for_each = var.require_tls ? aws_s3_bucket.this : {}

  bucket = each.value.id
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Sid       = "DenyWithoutTls"
      Effect    = "Deny"
      Principal = "*"
      Action    = "s3:*"
      Resource  = [each.value.arn, "${each.value.arn}/*"]
      Condition = { Bool = { "aws:SecureTransport" = "false" } }
    }]
  })

  depends_on = [aws_s3_bucket_public_access_block.this]
}

resource "aws_glue_catalog_database" "this" {
  name = var.names.database
}

resource "aws_glue_catalog_table" "this" {
  for_each = var.tables

  name          = each.key
  database_name = aws_glue_catalog_database.this.name
  description   = each.value.description
  table_type    = "EXTERNAL_TABLE"
  parameters = merge(
    { EXTERNAL = "TRUE", classification = each.value.format },
    each.value.projected ? var.projection : {},
  )

  dynamic "partition_keys" {
    for_each = each.value.partition_keys
    content {
      name = partition_keys.value[0]
      type = partition_keys.value[1]
    }
  }

  storage_descriptor {
    location      = "s3://${var.names.buckets[each.value.bucket]}/${each.value.prefix}"
    input_format  = local.formats[each.value.format].input
    output_format = local.formats[each.value.format].output

    ser_de_info {
      serialization_library = local.formats[each.value.format].serde
      parameters            = local.formats[each.value.format].parameters
    }

    dynamic "columns" {
      for_each = each.value.columns
      content {
        name = columns.value[0]
        type = columns.value[1]
      }
    }
  }

  # The crawler adds its own parameters.
  lifecycle {
    ignore_changes = [parameters]
  }
}

resource "aws_iam_role" "crawler" {
  name                 = var.names.roles.crawler
  assume_role_policy   = var.trust
  permissions_boundary = var.permissions_boundary
}

resource "aws_iam_role_policy" "crawler" {
  name   = var.names.roles.crawler
  role   = aws_iam_role.crawler.name
  policy = var.policy
}

resource "aws_glue_crawler" "raw" {
  #checkov:skip=CKV_AWS_195:It writes partitions to the catalogue and a log without content; the buckets are encrypted themselves.
  name          = var.names.crawler
  database_name = aws_glue_catalog_database.this.name
  role          = aws_iam_role.crawler.arn

  catalog_target {
    database_name = aws_glue_catalog_database.this.name
    tables        = [for kind in keys(var.names.streams) : aws_glue_catalog_table.this["${var.names.crawler_table_prefix}${kind}"].name]
  }

  schema_change_policy {
    update_behavior = "LOG"
    delete_behavior = "LOG"
  }

  configuration = jsonencode({
    Version       = 1.0
    CrawlerOutput = { Partitions = { AddOrUpdateBehavior = "InheritFromTable" } }
  })

  depends_on = [aws_iam_role_policy.crawler]
}
