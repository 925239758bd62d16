# What the variables of modules refuse beyond those of the root. Offline: the provider is mocked.

mock_provider "aws" {
  mock_data "aws_caller_identity" {
    defaults = { account_id = "123456789012" }
  }
  mock_data "aws_ssm_parameter" {
    defaults = { insecure_value = "ami-0123456789abcdef0" }
  }
}

run "a_network_of_another_size_is_refused" {
  command         = plan
  expect_failures = [var.cidr]

  module {
    source = "./modules/network"
  }

  variables {
    name                = "n"
    region              = "us-east-1"
    zones               = ["us-east-1a", "us-east-1b"]
    interface_endpoints = []
    nat                 = false
    cidr                = "10.0.0.0/8"
  }
}

run "too_large_a_buffer_is_refused" {
  command         = plan
  expect_failures = [var.buffer_mib]

  module {
    source = "./modules/ingest"
  }

  variables {
    names = {
      streams          = { posts = "posts" }
      delivery_streams = { posts = "posts-to-s3" }
      roles            = { firehose = "firehose", airflow = "airflow" }
      secrets          = { webhook = "connections/postrank_webhook" }
      workgroup        = "w", topic = "alerts", metrics_namespace = "Postrank"
    }
    delivery        = { posts = { prefix = "p/", error_prefix = "e/" } }
    shards          = 1
    retention_hours = 24
    raw_bucket_arn  = "arn:aws:s3:::raw"
    policy          = "{}"
    trust           = "{}"
    buffer_seconds  = 300
    buffer_mib      = 129
  }
}

run "too_long_a_buffer_is_refused" {
  command         = plan
  expect_failures = [var.buffer_seconds]

  module {
    source = "./modules/ingest"
  }

  variables {
    names = {
      streams          = { posts = "posts" }
      delivery_streams = { posts = "posts-to-s3" }
      roles            = { firehose = "firehose", airflow = "airflow" }
      secrets          = { webhook = "connections/postrank_webhook" }
      workgroup        = "w", topic = "alerts", metrics_namespace = "Postrank"
    }
    delivery        = { posts = { prefix = "p/", error_prefix = "e/" } }
    shards          = 1
    retention_hours = 24
    raw_bucket_arn  = "arn:aws:s3:::raw"
    policy          = "{}"
    trust           = "{}"
    buffer_mib      = 64
    buffer_seconds  = 901
  }
}

run "a_cut_off_below_athenas_is_refused" {
  command         = plan
  expect_failures = [var.scan_limit_bytes]

  module {
    source = "./modules/query"
  }

  variables {
    name             = "w"
    results_bucket   = "results"
    force_destroy    = true
    database         = "d"
    queries          = {}
    scan_limit_bytes = 1
  }
}

run "a_query_without_a_description_is_refused" {
  command         = plan
  expect_failures = [var.queries]

  module {
    source = "./modules/query"
  }

  variables {
    name             = "w"
    results_bucket   = "results"
    force_destroy    = true
    database         = "d"
    scan_limit_bytes = 10485760
    queries          = { all = "select 1" }
  }
}

run "a_warehouse_in_one_zone_is_refused" {
  command         = plan
  expect_failures = [var.subnets]

  module {
    source = "./modules/warehouse"
  }

  variables {
    name           = "n"
    vpc_id         = "vpc-1"
    cidr           = "10.0.0.0/16"
    instance_class = "db.t4g.micro"
    protected      = false
    subnets        = ["subnet-1"]
    engine_version = "17"
    require_tls    = true
    queue          = "q"
    queue_policy   = "{}"
    results_bucket = "results"
    events         = []
  }
}

run "the_app_is_internal_and_its_tasks_can_only_read_the_warehouse" {
  command = plan

  module {
    source = "./modules/app"
  }

  variables {
    names                = { roles = { app = "postrank-dev-app", live = "postrank-dev-live" } }
    image                = "registry/app:1"
    app                  = { host = "h.example.com", certificate_arn = "arn:aws:acm:us-east-1:123456789012:certificate/c", cidrs = ["10.9.0.0/16"], cpu = 512, memory = 1024, live = true }
    environment          = "dev"
    account              = "123456789012"
    region               = "us-east-1"
    warehouse            = "db.example.com"
    vpc_id               = "vpc-1"
    cidr                 = "10.40.0.0/16"
    balancer_subnets     = ["subnet-1", "subnet-2"]
    task_subnets         = ["subnet-3"]
    policy               = "{}"
    live_policy          = "{}"
    execution_policy     = "{}"
    trust                = "{}"
    permissions_boundary = null
    protected            = true
  }

  assert {
    condition     = aws_lb.this.internal && aws_lb_listener.https.protocol == "HTTPS"
    error_message = "The load balancer is open to the internet, or takes plain HTTP."
  }

  assert {
    condition     = keys(aws_vpc_security_group_ingress_rule.https) == ["10.40.0.0/16", "10.9.0.0/16"]
    error_message = "Other networks than those that were named reach the app."
  }

  assert {
    condition     = keys(aws_ecs_service.this) == ["app", "live"]
    error_message = "The services are others."
  }
}

run "an_app_in_one_zone_is_refused" {
  command         = plan
  expect_failures = [var.balancer_subnets]

  module {
    source = "./modules/app"
  }

  variables {
    names                = { roles = { app = "postrank-dev-app", live = "postrank-dev-live" } }
    image                = "registry/app:1"
    app                  = { host = "h.example.com", certificate_arn = "arn:aws:acm:us-east-1:123456789012:certificate/c", cidrs = ["10.9.0.0/16"], cpu = 512, memory = 1024, live = true }
    environment          = "dev"
    account              = "123456789012"
    region               = "us-east-1"
    warehouse            = "db.example.com"
    vpc_id               = "vpc-1"
    cidr                 = "10.40.0.0/16"
    balancer_subnets     = ["subnet-1"]
    task_subnets         = ["subnet-3"]
    policy               = "{}"
    live_policy          = "{}"
    execution_policy     = "{}"
    trust                = "{}"
    permissions_boundary = null
    protected            = true
  }
}

run "an_emr_release_without_the_connector_of_kinesis_is_refused" {
  command         = plan
  expect_failures = [var.release_label]

  module {
    source = "./modules/spark"
  }

  variables {
    names          = { spark = { application = "s", bucket = "b", role = "r" } }
    kafka          = false
    policy         = "{}"
    trust          = "{}"
    airflow_role   = "airflow"
    airflow_policy = "{}"
    streamer_role  = "streamer"
    kafka_policy   = "{}"
    vpc_id         = "vpc-1"
    cidr           = "10.0.0.0/16"
    subnets        = ["subnet-1", "subnet-2"]
    max_vcpus      = 16
    release_label  = "emr-6.15.0"
  }
}

run "too_few_vcpus_for_a_driver_and_an_executor_are_refused" {
  command         = plan
  expect_failures = [var.max_vcpus]

  module {
    source = "./modules/spark"
  }

  variables {
    names          = { spark = { application = "s", bucket = "b", role = "r" } }
    kafka          = false
    policy         = "{}"
    trust          = "{}"
    airflow_role   = "airflow"
    airflow_policy = "{}"
    streamer_role  = "streamer"
    kafka_policy   = "{}"
    vpc_id         = "vpc-1"
    cidr           = "10.0.0.0/16"
    subnets        = ["subnet-1", "subnet-2"]
    max_vcpus      = 2
  }
}

run "more_than_all_of_the_budget_is_refused" {
  command         = plan
  expect_failures = [var.spend_percent]

  module {
    source = "./modules/alarms"
  }

  variables {
    names = {
      streams          = { posts = "posts" }
      delivery_streams = { posts = "posts-to-s3" }
      roles            = { firehose = "firehose", airflow = "airflow" }
      secrets          = { webhook = "connections/postrank_webhook" }
      workgroup        = "w", topic = "alerts", metrics_namespace = "Postrank"
    }
    environment    = "dev"
    collectors     = ["main"]
    region         = "us-east-1"
    emails         = []
    daily_scan_gib = 1
    monthly_usd    = null
    spend_percent  = 120
  }
}

run "a_registry_that_keeps_a_single_image_is_refused" {
  command         = plan
  expect_failures = [var.images]

  module {
    source = "./modules/images"
  }

  variables {
    repositories  = { app = "postrank-dev-app" }
    force_destroy = true
    images        = 1
  }
}

run "a_registry_that_forgets_uploads_at_once_is_refused" {
  command         = plan
  expect_failures = [var.untagged_days]

  module {
    source = "./modules/images"
  }

  variables {
    repositories  = { app = "postrank-dev-app" }
    force_destroy = true
    untagged_days = 0
  }
}

run "a_secret_that_nothing_describes_is_refused" {
  command         = plan
  expect_failures = [var.descriptions]

  module {
    source = "./modules/secrets"
  }

  variables {
    secrets       = { x = "x" }
    force_destroy = true
    descriptions  = {}
  }
}

run "a_state_bucket_in_capitals_is_refused" {
  command         = plan
  expect_failures = [var.bucket]

  module {
    source = "./bootstrap"
  }

  variables {
    bucket = "State"
  }
}

run "every_repository_at_once_is_refused" {
  command         = plan
  expect_failures = [var.repository]

  module {
    source = "./bootstrap"
  }

  variables {
    bucket     = "state"
    repository = "example/*"
  }
}

run "every_branch_at_once_is_refused" {
  command         = plan
  expect_failures = [var.branch]

  module {
    source = "./bootstrap"
  }

  variables {
    bucket = "state"
    branch = "*"
  }
}

run "every_environment_at_once_is_refused" {
  command         = plan
  expect_failures = [var.environments]

  module {
    source = "./bootstrap"
  }

  variables {
    bucket       = "state"
    environments = ["*"]
  }
}

run "ci_plans_for_pull_requests_and_deploys_for_environments" {
  command = plan

  module {
    source = "./bootstrap"
  }

  variables {
    bucket     = "state"
    repository = "example/postrank"
  }

  assert {
    condition     = join(" ", local.subjects.plan) == "repo:example/postrank:pull_request repo:example/postrank:ref:refs/heads/main"
    error_message = "The plan role trusts other jobs than pull requests and the branch."
  }
  assert {
    condition = alltrue([
      for environment in ["dev", "prod"] :
      join(" ", local.subjects["deploy-${environment}"]) == "repo:example/postrank:environment:${environment}"
    ])
    error_message = "The deploy role of an environment trusts other jobs than those of that environment."
  }
}

run "airflow_on_ecs_is_internal_and_signs_people_in" {
  command = plan

  module {
    source = "./modules/airflow_ecs"
  }

  variables {
    names                  = { roles = { airflow = "postrank-dev-airflow" } }
    image                  = "registry/airflow@sha256:0"
    airflow                = { parallelism = 8, scheduler = { cpu = 1024, memory = 4096 }, database_class = "db.t4g.micro", database_version = "17", sign_in = { host = "a.example.com", certificate_arn = "arn:aws:acm:us-east-1:123456789012:certificate/c", cidrs = ["10.9.0.0/16"], issuer = "https://id.example.com", authorization_endpoint = "https://id.example.com/a", token_endpoint = "https://id.example.com/t", user_info_endpoint = "https://id.example.com/u", client_id = "airflow" } }
    role_arn               = "arn:aws:iam::123456789012:role/postrank-dev-airflow"
    policy                 = "{}"
    execution_policy       = "{}"
    trust                  = "{}"
    permissions_boundary   = null
    secrets_backend_kwargs = "{}"
    environment            = "dev"
    account                = "123456789012"
    region                 = "us-east-1"
    warehouse_queue        = ""
    vpc_id                 = "vpc-1"
    cidr                   = "10.40.0.0/16"
    private_subnets        = ["subnet-1", "subnet-2"]
    task_subnets           = ["subnet-3"]
    require_tls            = true
    protected              = true
  }

  assert {
    condition     = aws_lb.this[0].internal && aws_lb_listener.https[0].protocol == "HTTPS" && aws_lb_listener.https[0].default_action[0].type == "authenticate-oidc"
    error_message = "The load balancer is open to the internet, takes plain HTTP, or lets people in without a sign-in."
  }

  assert {
    condition     = keys(aws_vpc_security_group_ingress_rule.readers) == ["10.40.0.0/16", "10.9.0.0/16"]
    error_message = "Other networks than those that were named reach Airflow."
  }

  assert {
    condition     = keys(aws_ecs_service.this) == ["api-server", "dag-processor", "scheduler", "triggerer"] && alltrue([for service in aws_ecs_service.this : !service.enable_execute_command])
    error_message = "The services are others, or a session may lead into one."
  }

  assert {
    condition     = aws_ecs_service.this["scheduler"].deployment_maximum_percent == 100
    error_message = "Two schedulers could migrate the database at once."
  }

  assert {
    condition     = alltrue([for service in aws_ecs_service.this : service.deployment_circuit_breaker[0].enable && service.deployment_circuit_breaker[0].rollback])
    error_message = "A deployment that fails goes on."
  }

  assert {
    condition     = !aws_db_instance.this.publicly_accessible && aws_db_instance.this.manage_master_user_password && tolist(aws_db_parameter_group.this.parameter)[0].value == "1"
    error_message = "The database is public, takes connections without TLS, or its master's password is Terraform's."
  }
}

run "airflow_on_ecs_without_a_sign_in_has_no_load_balancer" {
  command = plan

  module {
    source = "./modules/airflow_ecs"
  }

  variables {
    names                  = { roles = { airflow = "postrank-dev-airflow" } }
    image                  = "registry/airflow@sha256:0"
    airflow                = { parallelism = 8, scheduler = { cpu = 1024, memory = 4096 }, database_class = "db.t4g.micro", database_version = "17", sign_in = null }
    role_arn               = "arn:aws:iam::123456789012:role/postrank-dev-airflow"
    policy                 = "{}"
    execution_policy       = "{}"
    trust                  = "{}"
    permissions_boundary   = null
    secrets_backend_kwargs = "{}"
    environment            = "dev"
    account                = "123456789012"
    region                 = "us-east-1"
    warehouse_queue        = ""
    vpc_id                 = "vpc-1"
    cidr                   = "10.40.0.0/16"
    private_subnets        = ["subnet-1", "subnet-2"]
    task_subnets           = ["subnet-3"]
    require_tls            = true
    protected              = true
  }

  assert {
    condition     = length(aws_lb.this) == 0 && length(aws_vpc_security_group_ingress_rule.readers) == 0
    error_message = "There is a way in without a sign-in."
  }

  assert {
    condition     = [for name, service in aws_ecs_service.this : name if service.enable_execute_command] == ["api-server"]
    error_message = "Sessions lead elsewhere than to the api-server."
  }
}

run "an_airflow_on_ecs_in_one_zone_is_refused" {
  command         = plan
  expect_failures = [var.private_subnets]

  module {
    source = "./modules/airflow_ecs"
  }

  variables {
    names                  = { roles = { airflow = "postrank-dev-airflow" } }
    image                  = "registry/airflow@sha256:0"
    airflow                = { parallelism = 8, scheduler = { cpu = 1024, memory = 4096 }, database_class = "db.t4g.micro", database_version = "17", sign_in = null }
    role_arn               = "arn:aws:iam::123456789012:role/postrank-dev-airflow"
    policy                 = "{}"
    execution_policy       = "{}"
    trust                  = "{}"
    permissions_boundary   = null
    secrets_backend_kwargs = "{}"
    environment            = "dev"
    account                = "123456789012"
    region                 = "us-east-1"
    warehouse_queue        = ""
    vpc_id                 = "vpc-1"
    cidr                   = "10.40.0.0/16"
    private_subnets        = ["subnet-1"]
    task_subnets           = ["subnet-3"]
    require_tls            = true
    protected              = true
  }
}
