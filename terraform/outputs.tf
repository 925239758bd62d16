output "streams" {
  description = "Names of the streams by purpose."
  value       = module.ingest.streams
}

output "delivery_streams" {
  description = "Names of the delivery streams by purpose."
  value       = module.ingest.delivery_streams
}

output "buckets" {
  description = "Names of the buckets by purpose."
  value       = module.lake.buckets
}

output "database" {
  description = "The catalogue's database."
  value       = module.lake.database
}

output "crawler" {
  description = "The crawler of the raw tables."
  value       = module.lake.crawler
}

output "workgroup" {
  description = "The Athena workgroup."
  value       = module.query.workgroup
}

output "streamer_group" {
  description = "The group that keeps one streamer running."
  value       = module.streamer.group
}

output "streamer_document" {
  description = "The SSM document that acts on the streamer's service."
  value       = module.streamer.document
}

output "airflow_role_arn" {
  description = "The role that Airflow's tasks run under."
  value       = module.airflow.role_arn
}

output "airflow_repository_url" {
  description = "Where Airflow's image is pushed."
  value       = module.airflow.repository_url
}

output "warehouse_secret_arn" {
  description = "The secret with the warehouse's user and password, or null without a warehouse."
  value       = one(module.warehouse[*].secret_arn)
}

output "topic_arn" {
  description = "The topic that alarms go to."
  value       = module.alarms.topic_arn
}

output "alarms" {
  description = "Names of the alarms."
  value       = module.alarms.alarms
}

output "secrets" {
  description = "Names of the secrets by purpose; people put their values in."
  value       = module.secrets.secrets
}

output "queries" {
  description = "Ids of the workgroup's named queries by name."
  value       = module.query.queries
}

output "dashboard" {
  description = "The dashboard's name."
  value       = module.alarms.dashboard
}

output "airflow_url" {
  description = "Where MWAA shows Airflow, or null without it."
  value       = module.airflow.webserver_url
}
