output "bucket_arns" {
  description = "ARNs of the buckets by purpose."
  value       = { for purpose, bucket in aws_s3_bucket.this : purpose => bucket.arn }
}

output "buckets" {
  description = "Names of the buckets by purpose."
  value       = { for purpose, bucket in aws_s3_bucket.this : purpose => bucket.bucket }
}

output "database" {
  description = "Name of the Glue database."
  value       = aws_glue_catalog_database.this.name
}

output "crawler" {
  description = "Name of the crawler of the raw tables."
  value       = aws_glue_crawler.raw.name
}
