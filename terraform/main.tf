# All AWS resources of Postrank in one account. Names, tables and policies are read from the same files as on the Python
# side: src/postrank/aws/{resources,tables}.json, policies/ and documents/.

data "aws_caller_identity" "this" {}

locals {
  shared  = "${path.module}/../src/postrank/aws"
  account = data.aws_caller_identity.this.account_id
  names = jsondecode(replace(replace(
    file("${local.shared}/resources.json"), "{environment}", var.environment), "{account}", local.account
  ))
  lake  = jsondecode(file("${local.shared}/tables.json"))
  zones = [for letter in var.zones : "${var.region}${letter}"]

  # The same variables as in postrank.aws.policies.variables.
  document_names = merge(
    {
      environment           = var.environment
      account               = local.account
      region                = var.region
      stream_posts          = local.names.streams.posts
      stream_author_windows = local.names.streams.author_windows
      database              = local.names.database
      crawler               = local.names.crawler
      workgroup             = local.names.workgroup
      topic                 = local.names.topic
      warehouse_queue       = local.names.warehouse_queue
      app                   = local.names.roles.app
      airflow               = local.names.roles.airflow
      bucket_spark          = local.names.spark.bucket
      kafka                 = local.names.spark.application
      spark                 = local.names.spark.role
      windows               = local.names.spark.windows
      streamer              = local.names.streamer.name
      document              = local.names.streamer.document
      release_document      = local.names.streamer.release_document
      backfill_document     = local.names.streamer.backfill_document
      service               = local.names.streamer.service
      metrics_namespace     = local.names.metrics_namespace
      end                   = "$"
    },
    { for purpose, bucket in local.names.buckets : "bucket_${purpose}" => bucket },
    { for purpose, secret in local.names.secrets : "secret_${purpose}" => secret },
    { for purpose, stream in local.names.delivery_streams : "delivery_${purpose}" => stream },
  )

  # Main alone, from streamer_config, or those of the variable `collectors`. Main's names have no suffix.
  configured = merge(
    { for name, path in { main = var.streamer_config } : name => {
      source                   = "", config = file(path), instance_type = null, state_gib = null, instance_tags = {}
    } if path != null },
    var.collectors,
  )
  collectors = { for name, collector in local.configured : name => {
    source        = collector.source
    config        = collector.config
    name          = name == "main" ? local.names.streamer.name : replace(local.names.collector.name, "{collector}", name)
    service       = name == "main" ? local.names.streamer.service : replace(local.names.collector.service, "{collector}", name)
    instance_type = coalesce(collector.instance_type, var.instance_type)
    state_gib     = coalesce(collector.state_gib, var.state_gib)
    instance_tags = merge(var.instance_tags, collector.instance_tags)
  } }

  # Airflow's connections are the secrets of one folder; the pattern spares a call for every other connection. Postrank uses
  # no variables of Airflow.
  connections = dirname(local.names.secrets.webhook)
  secrets_backend_kwargs = jsonencode({
    connections_prefix = local.connections
    connections_lookup_pattern = "^(${join("|", sort([
      for secret in values(local.names.secrets) : basename(secret) if dirname(secret) == local.connections
    ]))})$"
    variables_prefix = null
    config_prefix    = null
  })

  # A registry of each image, and the image of each service: by the digest that CI deploys, or as its own variable says.
  repositories = {
    airflow  = local.names.roles.airflow
    app      = local.names.roles.app
    spark    = local.names.spark.role
    streamer = local.names.roles.streamer
  }
  digests    = { for image, digest in merge({ airflow = try(var.airflow_ecs.image_digest, null) }, var.images) : image => digest if digest != null }
  references = { for image, digest in local.digests : image => "${module.images.urls[image]}@${digest}" }

  policies = {
    for file in fileset("${local.shared}/policies", "*.json") :
    trimsuffix(file, ".json") => templatefile("${local.shared}/policies/${file}", local.document_names)
  }
}

module "network" {
  source = "./modules/network"

  name   = "postrank-${var.environment}"
  region = var.region
  cidr   = var.cidr
  zones  = local.zones
  # MWAA has no addresses of its own, nor has a load balancer that asks an identity provider.
  nat = var.mwaa != null || try(var.airflow_ecs.sign_in, null) != null

  interface_endpoints = var.interface_endpoints
}

module "lake" {
  source = "./modules/lake"

  permissions_boundary = var.permissions_boundary

  names          = local.names
  tables         = local.lake.tables
  projection     = local.lake.projection
  policy         = local.policies["crawler"]
  trust          = local.policies["crawler.trust"]
  retention_days = merge(local.names.retention_days, { raw = coalesce(var.raw_days, local.names.retention_days.raw) })
  force_destroy  = !var.protected
  require_tls    = var.require_tls
}

module "ingest" {
  source = "./modules/ingest"

  permissions_boundary = var.permissions_boundary

  names           = local.names
  delivery        = { for purpose in keys(local.names.streams) : purpose => local.names.delivery[purpose] }
  buffer_mib      = local.names.delivery.buffer_mib
  buffer_seconds  = local.names.delivery.buffer_seconds
  shards          = var.shards
  retention_hours = var.retention_hours
  raw_bucket_arn  = module.lake.bucket_arns.raw
  policy          = local.policies["firehose"]
  trust           = local.policies["firehose.trust"]
}

module "query" {
  source = "./modules/query"

  name             = local.names.workgroup
  results_bucket   = module.lake.buckets.query_results
  scan_limit_bytes = local.names.scan_limit_bytes
  force_destroy    = !var.protected
  database         = module.lake.database
  queries = {
    for file in fileset("${path.module}/../include/sql/queries", "*.sql") :
    replace(trimsuffix(file, ".sql"), "_", " ") => file("${path.module}/../include/sql/queries/${file}")
  }
}

module "secrets" {
  source = "./modules/secrets"

  secrets       = local.names.secrets
  force_destroy = !var.protected
  descriptions = {
    x         = "Bearer token of the X API, as text or as a key of a JSON object."
    mastodon  = "Access token of a Mastodon server, as text or as a key of a JSON object."
    webhook   = "Airflow connection; its password is the URL of a Slack-compatible webhook."
    x_trends  = "Airflow connection; its password is a bearer token of the X API, its extra names places."
    warehouse = "Airflow connection to the Postgres database for trends."
  }
}

module "streamer" {
  source = "./modules/streamer"

  permissions_boundary = var.permissions_boundary

  names          = local.names
  environment    = var.environment
  account        = local.account
  region         = var.region
  zone           = local.zones[0]
  subnet         = module.network.public_subnets[local.zones[0]]
  security_group = module.network.streamer_security_group
  collectors     = local.collectors
  image_id       = var.image_id
  release        = var.release
  policy         = local.policies["streamer"]
  host_policy    = local.policies["streamer-host"]
  trust          = local.policies["streamer.trust"]
  document       = templatefile("${local.shared}/documents/streamer-service.json", local.document_names)

  release_document = templatefile("${local.shared}/documents/streamer-release.json", local.document_names)
  deployer_policy  = local.policies["deployer"]
  deployer_trust   = local.policies["deployer.trust"]

  backfill_document = templatefile("${local.shared}/documents/streamer-backfill.json", local.document_names)

  depends_on = [module.ingest]
}

module "images" {
  source = "./modules/images"

  repositories  = local.repositories
  force_destroy = !var.protected
}

module "airflow" {
  source = "./modules/airflow"

  permissions_boundary = var.permissions_boundary

  names                  = local.names
  policy                 = local.policies["airflow"]
  trust                  = local.policies[var.airflow_ecs == null ? "airflow.trust" : "app.trust"] # ECS, as for the app
  secrets_backend_kwargs = local.secrets_backend_kwargs

  mwaa                 = var.mwaa
  mwaa_policy          = local.policies["airflow-mwaa"]
  mwaa_trust           = local.policies["airflow-mwaa.trust"]
  artifacts_bucket_arn = module.lake.bucket_arns.artifacts
  vpc_id               = module.network.vpc_id
  subnets              = values(module.network.private_subnets)
}

module "airflow_ecs" {
  source = "./modules/airflow_ecs"
  count  = var.airflow_ecs == null ? 0 : 1

  permissions_boundary = var.permissions_boundary

  names                  = local.names
  airflow                = var.airflow_ecs
  image                  = local.references["airflow"]
  role_arn               = module.airflow.role_arn
  policy                 = local.policies["airflow-ecs"]
  execution_policy       = local.policies["airflow-execution"]
  trust                  = local.policies["app.trust"]
  secrets_backend_kwargs = local.secrets_backend_kwargs
  environment            = var.environment
  account                = local.account
  region                 = var.region
  warehouse_queue        = try(module.warehouse[0].queue_url, "")
  vpc_id                 = module.network.vpc_id
  cidr                   = var.cidr
  private_subnets        = values(module.network.private_subnets)
  task_subnets           = values(module.network.public_subnets)
  require_tls            = var.require_tls
  protected              = var.protected
}

module "warehouse" {
  source = "./modules/warehouse"
  count  = var.warehouse_class == null ? 0 : 1

  name           = "postrank-${var.environment}"
  vpc_id         = module.network.vpc_id
  cidr           = var.cidr
  subnets        = values(module.network.private_subnets)
  instance_class = var.warehouse_class
  engine_version = var.warehouse_version
  protected      = var.protected
  require_tls    = var.require_tls
  queue          = local.names.warehouse_queue
  queue_policy   = templatefile("${local.shared}/documents/warehouse-queue.json", local.document_names)
  results_bucket = module.lake.buckets.results
  events         = jsondecode(file("${local.shared}/documents/warehouse-events.json"))
}

module "app" {
  source = "./modules/app"
  count  = var.app == null ? 0 : 1

  permissions_boundary = var.permissions_boundary

  names            = local.names
  app              = var.app
  image            = try(local.references["app"], "${module.images.urls["app"]}:${var.app.image_tag}")
  region           = var.region
  environment      = var.environment
  account          = local.account
  warehouse        = one(module.warehouse[*].address)
  vpc_id           = module.network.vpc_id
  cidr             = var.cidr
  balancer_subnets = values(module.network.private_subnets)
  task_subnets     = values(module.network.public_subnets)
  policy           = local.policies["app"]
  live_policy      = local.policies["live"]
  execution_policy = local.policies["app-execution"]
  trust            = local.policies["app.trust"]
  protected        = var.protected
}

module "spark" {
  source = "./modules/spark"
  count  = var.spark == null ? 0 : 1

  permissions_boundary = var.permissions_boundary

  names          = local.names
  max_vcpus      = var.spark.max_vcpus
  kafka          = var.spark.kafka
  policy         = local.policies["spark"]
  trust          = local.policies["spark.trust"]
  airflow_role   = local.names.roles.airflow
  airflow_policy = local.policies["airflow-spark"]
  streamer_role  = local.names.roles.streamer
  kafka_policy   = local.policies["kafka"]
  vpc_id         = module.network.vpc_id
  cidr           = var.cidr
  subnets        = values(module.network.private_subnets)

  depends_on = [module.airflow, module.streamer]
}

module "alarms" {
  source = "./modules/alarms"

  names          = local.names
  environment    = var.environment
  collectors     = keys(local.collectors)
  region         = var.region
  emails         = var.alarm_emails
  daily_scan_gib = var.daily_scan_gib
  monthly_usd    = var.monthly_usd
}
