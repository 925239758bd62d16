output "streams" {
  description = "Names of the streams by purpose."
  value       = { for purpose, stream in aws_kinesis_stream.this : purpose => stream.name }
}

output "delivery_streams" {
  description = "Names of the delivery streams by purpose."
  value       = { for purpose, stream in aws_kinesis_firehose_delivery_stream.this : purpose => stream.name }
}
