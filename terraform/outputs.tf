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
  description = "Name of the Glue database."
  value       = module.lake.database
}

output "crawler" {
  description = "Name of the crawler of the raw tables."
  value       = module.lake.crawler
}

output "workgroup" {
  description = "Name of the Athena workgroup."
  value       = module.query.workgroup
}

output "streamer_group" {
  description = "Auto Scaling group that keeps main's streamer running; null without main."
  value       = lookup(module.streamer.groups, "main", null)
}

output "collector_groups" {
  description = "Auto Scaling groups that keep one streamer running each, by collector."
  value       = module.streamer.groups
}

output "streamer_document" {
  description = "SSM document that controls the streamer's service."
  value       = module.streamer.document
}

output "airflow_role_arn" {
  description = "ARN of the role that Airflow's tasks run under."
  value       = module.airflow.role_arn
}

output "airflow_repository_url" {
  description = "URL of the registry for Airflow's image."
  value       = module.images.urls["airflow"]
}

output "repository_urls" {
  description = "URLs of the registries by image: airflow, app, spark, streamer."
  value       = module.images.urls
}

output "images" {
  description = "Digests of the images that this state deploys, by image. A plan that builds none takes them from here."
  value       = local.digests
}

output "warehouse_secret_arn" {
  description = "ARN of the secret with the warehouse's user and password; null without a warehouse."
  value       = one(module.warehouse[*].secret_arn)
}

output "topic_arn" {
  description = "ARN of the topic that alarms notify."
  value       = module.alarms.topic_arn
}

output "alarms" {
  description = "Names of the alarms."
  value       = module.alarms.alarms
}

output "secrets" {
  description = "Names of the secrets by purpose. Terraform creates them empty; store their values by hand."
  value       = module.secrets.secrets
}

output "queries" {
  description = "IDs of the workgroup's named queries by name."
  value       = module.query.queries
}

output "dashboard" {
  description = "Name of the dashboard."
  value       = module.alarms.dashboard
}

output "airflow_url" {
  description = "URL of the Airflow UI on MWAA; null without MWAA."
  value       = module.airflow.webserver_url
}

output "airflow_cluster" {
  description = "Name of Airflow's cluster on ECS; null without one."
  value       = one(module.airflow_ecs[*].cluster)
}

output "airflow_balancer" {
  description = "DNS name of the load balancer of Airflow on ECS, which airflow_ecs.sign_in.host must point at; null without a sign-in."
  value       = one(module.airflow_ecs[*].balancer)
}

output "warehouse_queue_url" {
  description = "URL of the queue in which S3 tells of exports, for POSTRANK_WAREHOUSE_QUEUE; null without a warehouse."
  value       = one(module.warehouse[*].queue_url)
}

output "app_repository_url" {
  description = "URL of the registry for the app's image."
  value       = module.images.urls["app"]
}

output "app_balancer" {
  description = "DNS name of the app's load balancer, which app.host must point at; null without the app."
  value       = one(module.app[*].balancer)
}

output "spark_application_id" {
  description = "ID of the EMR Serverless application; null without Spark."
  value       = one(module.spark[*].application_id)
}
